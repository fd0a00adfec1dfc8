"""Weights of the score as a document: what a desk cares for, checked and kept in a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, Strict

from bifrost_lib.core.errors import DocumentError, FileFormatError
from bifrost_lib.strategies.documents.mistakes import mistake
from bifrost_lib.strategies.documents.part import Part

MOST_BYTES = 4096

Weight = Annotated[float, Strict(), Field(ge=0, le=1e6)]


class ScoreWeights(Part):
    """How much each part of the score counts, in any unit; parts that are left out count nothing.

    What the parts are is said in `bifrost_lib.strategies.scanning.score`.
    """

    pop: Weight = 0.0
    ev: Weight = 0.0
    return_on_risk: Weight = 0.0
    liquidity: Weight = 0.0
    fit: Weight = 0.0

    def model_post_init(self, context: Any) -> None:
        if not any(self.as_dict().values()):
            raise mistake("at least one weight > 0", at=("pop",), value=self.pop)

    def as_dict(self) -> dict[str, float]:
        """Return the weights by part."""
        return {name: float(getattr(self, name)) for name in type(self).model_fields}


def read_weights(source: str | Mapping[str, Any]) -> ScoreWeights:
    """Return the weights that a text, YAML or JSON, or a mapping holds.

    Raises
    ------
    DocumentError
        The first mistake: ``error.name`` is the field, ``error.nearest`` the likeliest intention of an unknown one.

    Examples
    --------
    >>> read_weights("{pop: 2, ev: 1}").as_dict()["pop"]
    2.0
    """
    content: Any = source
    if isinstance(source, str):
        try:
            content = yaml.safe_load(source)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise DocumentError("weights", str(error).splitlines()[0], "YAML or JSON") from None
    if not isinstance(content, Mapping):
        raise DocumentError("weights", content, "a mapping of parts of the score to numbers")
    return ScoreWeights(**{str(name): value for name, value in content.items()})


def read_weights_file(path: Path) -> ScoreWeights:
    """Return the weights in a file.

    Raises
    ------
    FileFormatError
        If it cannot be read as text.
    DocumentError
        If it holds no valid weights.
    """
    try:
        data = path.read_bytes()[: MOST_BYTES + 1]
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise FileFormatError(path, error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        raise FileFormatError(path, f"byte {error.start} is no UTF-8") from None
    if len(data) > MOST_BYTES:
        raise DocumentError("weights", "more", f"at most {MOST_BYTES:,} bytes")
    return read_weights(text)
