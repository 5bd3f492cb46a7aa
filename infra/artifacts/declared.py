"""Imports of packages that their sources do not show, or that this project never needs."""

from typing import NamedTuple

DYNAMIC: dict[str, tuple[str, ...]] = {
    # Extensions, loaders and plugins that are named in settings, and here are not.
    "aiohttp.web": (),  # its command
    "aws_lambda_powertools.shared.lazy_import": (),  # X-Ray's SDK, for its Tracer
    "botocore.plugin": (),
    "jinja2.loaders": (),  # templates in packages; ours are in a folder
    "jinja2.utils": (),
    "_cffi_backend": (),  # machine code; the rest of cffi makes such modules
    # Modules of Python.
    "botocore.vendored.six": (),
    "charset_normalizer.cd": (),
    "charset_normalizer.utils": (),
    "six": (),
    # Modules that are named by data.
    "boto3.utils": ("boto3.dynamodb.*", "boto3.ec2.*", "boto3.s3.*"),
    "phonenumbers.data": ("phonenumbers.data.region_*",),
    "phonenumbers.shortdata": ("phonenumbers.shortdata.region_*",),
    "requests.compat": ("charset_normalizer",),
    "requests.packages": ("idna", "urllib3"),
}
"""Names that a module imports, where they cannot be read in it.

A package with a module that should be here and is not ships whole, as one with machine code does.
"""

NEEDS: dict[str, tuple[str, ...]] = {
    "cryptography.hazmat.bindings._rust": ("_cffi_backend",),  # machine code imports it
    "zoneinfo": ("tzdata.*",),  # Lambda's system has no time zones
}
"""Names that nothing imports in Python, by the module that needs them."""


class Cut(NamedTuple):
    """Imports of a package that this project does not need."""

    importer: str
    """Module whose imports are cut."""
    imported: tuple[str, ...]
    """Patterns of names."""
    kept: tuple[str, ...]
    """Patterns of names that are not cut."""
    users: tuple[str, ...]
    """Modules of this project that need no more of the package."""


_ADDRESSES = ("functions.core.email_address",)
_TWILIO = ("functions.core.messages.providers.twilio_client", "functions.api.webhooks.schemes.*")
CUTS = (
    # Queries of DNS, which are off: a megabyte.
    Cut("email_validator", ("*.deliverability*",), (), _ADDRESSES),
    Cut("email_validator.validate_email", ("*.deliverability*",), (), _ADDRESSES),
    # Messages and calls stay. Twilio's other APIs are 40 MB.
    Cut("twilio.rest", ("twilio.rest.*",), ("twilio.rest.api*",), _TWILIO),
)
"""Cuts hold where no other module of functions/ imports the package, as an author's may."""
