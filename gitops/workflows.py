"""Files that make a forge plan and apply: what `orch init -workflow` writes."""

from __future__ import annotations

from enum import StrEnum

from gitops.version import VERSION


class Forge(StrEnum):
    """Whose CI is to run orch."""

    GITHUB = "github"
    GITLAB = "gitlab"


# Where each forge looks for it.
PATHS = {Forge.GITHUB: ".github/workflows/orch.yml", Forge.GITLAB: ".gitlab-ci.yml"}

_GITHUB = """\
# Plan on pull requests; plan and apply on the default branch.
# Secrets of the repository: SSH_PRIVATE_KEY, which the hosts accept; ORCH_KEY, where jobs have
# sensitive values. Hosts are trusted by orch_host_key in the inventory, or by SSH_KNOWN_HOSTS.
name: orch
on:
  pull_request:
  push:
    branches: [main]
permissions:
  # the ledger is refs of the repository, unless orch.toml names another place
  contents: write
# two runs never apply at the same time; one that waits is never given up
concurrency:
  group: orch-${{ github.ref }}
  cancel-in-progress: false
jobs:
  orch:
    runs-on: ubuntu-latest
    env:
      ORCH_KEY: ${{ secrets.ORCH_KEY }}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - name: Install orch
        # or from where you keep it: a Git URL, a wheel
        run: python3 -m pip install --quiet orch-gitops==@version@
      - name: Keys
        run: |
          install -d -m 700 ~/.ssh
          install -m 600 /dev/stdin ~/.ssh/id_ed25519 <<<"$KEY"
          install -m 600 /dev/stdin ~/.ssh/known_hosts <<<"$KNOWN_HOSTS"
        env:
          KEY: ${{ secrets.SSH_PRIVATE_KEY }}
          KNOWN_HOSTS: ${{ secrets.SSH_KNOWN_HOSTS }}
      - name: Plan
        run: |
          orch validate
          orch plan -out orch.plan
          orch show -format markdown orch.plan >>"$GITHUB_STEP_SUMMARY"
      - name: Apply
        if: github.event_name == 'push'
        run: orch apply orch.plan
"""

_GITLAB = """\
# Plan in merge requests and on the default branch; apply there what was planned, by hand.
# Include it, and give ORCH_IMAGE an image that has orch, git and ssh.
stages: [plan, apply]

.orch:
  image: $ORCH_IMAGE
  before_script:
    # SSH_PRIVATE_KEY and SSH_KNOWN_HOSTS are variables of type file
    - install -d -m 700 ~/.ssh
    - install -m 600 "$SSH_PRIVATE_KEY" ~/.ssh/id_ed25519
    - install -m 600 "$SSH_KNOWN_HOSTS" ~/.ssh/known_hosts

orch plan:
  extends: .orch
  stage: plan
  script:
    - orch validate
    - orch plan -out orch.plan
    - orch show -format markdown orch.plan >plan.md
  artifacts:
    paths: [orch.plan, plan.md]
    expire_in: 1 week

orch apply:
  extends: .orch
  stage: apply
  needs: [orch plan]
  resource_group: orch
  script:
    - orch apply orch.plan
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
      when: manual
"""

_GITHUB_STEPS = """
  settings of the repository               secrets SSH_PRIVATE_KEY, SSH_KNOWN_HOSTS, ORCH_KEY
  orch.toml                                [ledger] url: where runners and you can push"""
_GITLAB_STEPS = """
  settings of the project                  variables ORCH_IMAGE, and of type file
                                           SSH_PRIVATE_KEY, SSH_KNOWN_HOSTS
  orch.toml                                [ledger] url: where runners and you can push"""
STEPS = {Forge.GITHUB: _GITHUB_STEPS, Forge.GITLAB: _GITLAB_STEPS}


def text(forge: Forge) -> str:
    """Return the content of the file."""
    if forge is Forge.GITLAB:
        return _GITLAB
    return _GITHUB.replace("@version@", VERSION)
