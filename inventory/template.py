"""Jinja2 in variables: rendered when orch reads them; sandboxed, strict, without loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from inventory.marked import Item, Value, placed, plain
from inventory.variables import BadValueError, suggestion

if TYPE_CHECKING:
    import jinja2

_MARKS = ("{{", "{%", "{#")
# What a variable may become; text of inventories is not that long.
SIZE_LIMIT = 65_536
_TEXT_LIMIT = 8192
_DEPTH_LIMIT = 32
_NUMBERS = 2**31
_EXPONENT = 64
# They take widths and counts, or chance.
_REFUSED_FILTERS = ("batch", "center", "format", "indent", "random", "slice", "wordwrap")


def has_template(value: Value) -> bool:
    """Return whether there is anything to render in a value."""
    if value.tag:  # encrypted, or said to be unsafe: left as it is
        return False
    if isinstance(value.data, dict):
        return any(has_template(i.value) for i in value.data.values())
    if isinstance(value.data, list):
        return any(has_template(v) for v in value.data)
    return isinstance(value.data, str) and any(m in value.data for m in _MARKS)


class Templates:
    """Renders the variables of one host, and of those only what is asked for.

    `variables` are all of the host's own; `magic` are the names that Ansible adds, such as
    ``inventory_hostname``.
    """

    def __init__(self, variables: Mapping[str, Item], magic: Mapping[str, object]) -> None:
        self._variables = variables
        self._known = dict(magic)
        self._open: list[str] = []

    def rendered(self, value: Value) -> Value:
        """Return a value without templates; raises `BadValueError` at what can't be rendered."""
        if not has_template(value):
            return value
        if isinstance(value.data, dict):
            inner = {k: self.rendered(i.value).item() for k, i in value.data.items()}
            return Value(inner, value.line, value.column, path=value.path)
        if isinstance(value.data, list):
            parts = [self.rendered(v) for v in value.data]
            return Value(parts, value.line, value.column, path=value.path)
        return placed(self._result(value), value)

    def _result(self, value: Value) -> object:
        import jinja2

        text = str(value.data)
        if len(text) > _TEXT_LIMIT:
            raise BadValueError(value, f"a template of more than {_TEXT_LIMIT} characters")
        try:
            names = _names(text)
            known = {n: self._variable(n, value) for n in names if self._is_known(n)}
            result = _evaluate(text, known)
        except jinja2.UndefinedError as e:
            raise BadValueError(value, f"{e.message}{self._hint(e.message or '')}") from e
        except jinja2.TemplateError as e:
            raise BadValueError(value, f"not renderable: {e.message}") from e
        except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as e:
            raise BadValueError(value, f"not renderable: {e}") from e
        if len(str(result)) > SIZE_LIMIT:
            raise BadValueError(value, f"it becomes longer than {SIZE_LIMIT} characters")
        return result

    def _is_known(self, name: str) -> bool:
        return name in self._variables or name in self._known

    def _variable(self, name: str, user: Value) -> object:
        if name in self._known:
            return self._known[name]
        if name in self._open:
            way = " -> ".join((*self._open, name))
            raise BadValueError(user, f"the variables are made of one another: {way}")
        if len(self._open) >= _DEPTH_LIMIT:
            raise BadValueError(user, "its variables are nested too deeply")
        value = self._variables[name].value
        if value.tag == "!vault":
            raise BadValueError(user, f"{name!r} is encrypted; orch decrypts nothing")
        self._open.append(name)
        try:
            self._known[name] = plain(self.rendered(value))
        finally:
            self._open.pop()
        return self._known[name]

    def _hint(self, message: str) -> str:
        name = message.partition("'")[2].partition("'")[0]
        return suggestion(name, [*self._variables, *self._known]) if name else ""


@cache
def _names(text: str) -> frozenset[str]:
    """The variables that a template asks for; refuses what could take for ever."""
    from jinja2 import TemplateSyntaxError, meta, nodes

    tree = _environment().parse(text)
    refused = (nodes.For, nodes.Macro, nodes.CallBlock, nodes.Include, nodes.Import)
    for kind in (*refused, nodes.FromImport, nodes.Extends):
        if (found := tree.find(kind)) is not None:
            text = f"'{kind.__name__.lower()}' is not for inventories"
            raise TemplateSyntaxError(text, found.lineno)
    return frozenset(meta.find_undeclared_variables(tree))


@cache
def _compiled(text: str) -> Callable[[Mapping[str, object]], object]:
    """A template that is one expression gives that value; any other gives text."""
    from jinja2 import TemplateSyntaxError

    environment = _environment()
    inner = text.strip()
    if inner.startswith("{{") and inner.endswith("}}") and inner.count("{{") == 1:
        try:
            expression = environment.compile_expression(inner[2:-2], undefined_to_none=False)
        except TemplateSyntaxError:
            pass  # a brace inside a string: text after all
        else:
            return lambda known: _defined(expression(**known))
    template = environment.from_string(text)
    return lambda known: template.render(**known)


def _evaluate(text: str, known: Mapping[str, object]) -> object:
    return _compiled(text)(known)


def _defined(result: object) -> object:
    import jinja2

    if isinstance(result, jinja2.Undefined):
        str(result)  # raises, and says which one
    return result


@cache
def _environment() -> jinja2.Environment:
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Bounded(ImmutableSandboxedEnvironment):
        """Numbers are where small texts become large ones."""

        intercepted_binops = frozenset(("*", "**", "%"))

        def call_binop(
            self, context: jinja2.runtime.Context, operator: str, left: object, right: object
        ) -> object:
            """Work on numbers of an ordinary size, and never on text."""
            if not all(isinstance(v, int | float) and abs(v) < _NUMBERS for v in (left, right)):
                raise jinja2.TemplateRuntimeError(f"{operator!r} takes numbers below {_NUMBERS}")
            if operator == "**" and abs(cast("float", right)) > _EXPONENT:
                raise jinja2.TemplateRuntimeError(f"'**' takes exponents up to {_EXPONENT}")
            return cast("object", super().call_binop(context, operator, left, right))

        def call(self, *args: object, **kwargs: object) -> object:
            """Call what a template may call, such as methods of text."""
            numbers = [v for v in (*args, *kwargs.values()) if isinstance(v, int)]
            if any(v > SIZE_LIMIT for v in numbers):
                raise jinja2.TemplateRuntimeError(f"numbers up to {SIZE_LIMIT} may be passed")
            return cast("object", cast("Any", super()).call(*args, **kwargs))

    environment = Bounded(undefined=jinja2.StrictUndefined, autoescape=False, cache_size=0)
    environment.globals.clear()
    for name in _REFUSED_FILTERS:
        environment.filters.pop(name, None)
    return environment
