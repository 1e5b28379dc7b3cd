"""Certificate authorities that clients of AWS trust.

botocore parses its file of all authorities for each connection, which takes 20 times as long as parsing the five of
Amazon's (https://www.amazontrust.com/repository/) that AWS endpoints use. The zip has a file of these. If an endpoint's
certificate is from another authority, all are trusted from then on.
"""

from dataclasses import dataclass
from pathlib import Path

ROOTS = Path(__file__).parents[2] / "amazon-roots.pem"
"""File of Amazon's certificate authorities; only in the zip."""


@dataclass(slots=True)
class Trust:
    """Choice of the authorities to trust."""

    all_roots: bool = False
    """Set after a certificate could not be verified with the short list."""

    def file(self) -> str | None:
        """Return the file of authorities to trust; None for those of botocore, or of AWS_CA_BUNDLE."""
        return None if self.all_roots or not ROOTS.exists() else str(ROOTS)


trust = Trust()
