"""What every part of a strategy document is: a frozen value that compares, hashes and says plainly what is wrong."""

from __future__ import annotations

from typing import Annotated, Any, Self, dataclass_transform

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StringConstraints, ValidationError

from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies.documents.mistakes import first_mistake, mistake

MOST = 1e9  # of any number in a document: above it lies a slip of the keyboard, and products stay finite

#: A number, which text and true are not.
Number = Annotated[float, Strict(), Field(ge=-MOST, le=MOST)]
Positive = Annotated[float, Strict(), Field(gt=0, le=MOST)]
#: From 0 to 1.
Share = Annotated[float, Strict(), Field(ge=0, le=1)]
Count = Annotated[int, Strict(), Field(ge=1, le=1000)]
#: Calendar days.
Days = Annotated[int, Strict(), Field(ge=0, le=3650)]
#: True or false, and nothing that could be taken for it.
Flag = Annotated[bool, Strict()]
Name = Annotated[str, Strict(), StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]


def _printable(text: str) -> str:
    # A document is printed on terminals, where control characters are commands.
    if not text.isprintable():
        raise mistake("text in one line without control characters")
    return text


Words = Annotated[str, Strict(), StringConstraints(max_length=400), AfterValidator(_printable)]


@dataclass_transform(kw_only_default=False, field_specifiers=(Field,))
class Part(BaseModel):
    """A frozen model that takes its fields in order or by name, and whose mistakes are `DocumentError`s."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    def __init__(self, *values: Any, **named: Any) -> None:
        fields = list(type(self).model_fields)
        if len(values) > len(fields):
            raise InputError(type(self).__name__, values, f"at most {len(fields)} values: {', '.join(fields)}")
        for field, value in zip(fields, values, strict=False):
            if field in named:
                raise InputError(field, value, "one value, not two")
            named[field] = value
        try:
            super().__init__(**named)
        except ValidationError as error:
            raise first_mistake(error, type(self)) from None

    # Tells pydantic that this is no other way to validate, so that a document's parts are validated with their paths.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def with_(self, **changes: Any) -> Self:
        """Return a copy with other values, validated like a new one."""
        return type(self)(**{**{name: getattr(self, name) for name in self.model_fields_set}, **changes})

    def _complete(self, **values: Any) -> None:
        # Fill in, while the part is validated, what follows from the values that were given.
        for name, value in values.items():
            object.__setattr__(self, name, value)


class Range(Part):
    """Numbers from `low` to `high`, both included; an end that is left out is open."""

    low: Number | None = None
    high: Number | None = None

    def model_post_init(self, context: Any) -> None:
        check_ends(self.low, self.high)

    def holds(self, value: float) -> bool:
        """Return whether `value` lies within; a value that is not known (NaN) does not."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


def check_ends(low: float | None, high: float | None) -> None:
    """Raise a mistake unless the fields `low` and `high` of a part are a range."""
    if low is None and high is None:
        raise mistake("a range with at least one end", at=("low",))
    if low is not None and high is not None and low > high:
        raise mistake(f"a number <= {high:g}, the range's other end", at=("low",), value=low)
