"""Functions of passwords and keys. Their libraries are imported on first use."""

from __future__ import annotations

import base64
import binascii

from gitops.jobspec.functions.lazily import Eager, position
from gitops.jobspec.scope import Scope
from gitops.jobspec.syntax import Call
from gitops.jobspec.values import MAX_ITEMS, Value, ValueFault, text

_COST, _LEAST_COST, _MOST_COST = 10, 4, 31
_LONGEST = 72
# What one step of the cost takes of the budget, so that all calls of a file take half a second.
_BUDGET_PER_STEP = MAX_ITEMS // 2**13


def _bcrypt(scope: Scope, node: Call, value: str, *costs: int) -> Value:
    import bcrypt

    if len(costs) > 1:
        raise ValueFault("a text and a cost are all it takes")
    cost = costs[0] if costs else _COST
    if cost > _MOST_COST:
        raise ValueFault(f"the cost is at most {_MOST_COST}")
    if len(value.encode()) > _LONGEST:
        raise ValueFault(f"at most {_LONGEST} bytes are hashed")
    cost = cost if cost >= _LEAST_COST else _COST
    scope.budget.take(2**cost * _BUDGET_PER_STEP, node.span)
    return bcrypt.hashpw(value.encode(), bcrypt.gensalt(cost, b"2a")).decode("ascii")


def _rsadecrypt(value: str, key: str) -> Value:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        secret = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ValueFault("what is to be decrypted is given in base64") from None
    try:
        private = load_pem_private_key(key.encode(), None)
        if not isinstance(private, RSAPrivateKey):
            raise ValueFault("the key is no RSA key")
        return private.decrypt(secret, PKCS1v15()).decode()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueFault(
            "the key is no RSA key in PEM without a password, or not the one"
        ) from None


FUNCTIONS: dict[str, Eager] = {
    "bcrypt": Eager(_bcrypt, (text,), position, varies=True, scoped=True),
    "rsadecrypt": Eager(_rsadecrypt, (text, text)),
}
