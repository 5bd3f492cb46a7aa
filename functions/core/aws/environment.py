"""AWS's own variables of a process, as far as direct requests understand them."""

import re
from urllib.parse import SplitResult, urlsplit

import msgspec

from functions.core import config
from functions.core.aws.protocols import SERVICES, Service

_REGION = re.compile(r"(?!us-iso|eu-iso|eusc)[a-z]{2}(-gov)?-[a-z]+-\d+")
"""Regions whose domain is known here; isolated ones have others."""
_LOOPBACK = {"127.0.0.1", "localhost"}


@config.settings()
class AwsEnvironment(msgspec.Struct, frozen=True, kw_only=True):
    """Variables of Lambda and of AWS's SDKs (SDKs and Tools Reference Guide)."""

    aws_lambda_function_name: str = ""
    aws_region: str = ""
    aws_access_key_id: str = ""
    aws_secret_access_key: str = ""
    aws_session_token: str = ""
    aws_container_credentials_full_uri: str = ""
    aws_container_authorization_token: str = ""
    aws_endpoint_url: str = ""
    aws_endpoint_url_dynamodb: str = ""
    aws_endpoint_url_pinpoint_sms_voice_v2: str = ""
    aws_endpoint_url_scheduler: str = ""
    aws_endpoint_url_secrets_manager: str = ""
    aws_endpoint_url_sesv2: str = ""
    aws_endpoint_url_sns: str = ""
    aws_ignore_configured_endpoint_urls: str = ""
    aws_use_fips_endpoint: str = ""
    aws_use_dualstack_endpoint: str = ""
    aws_ca_bundle: str = ""

    @property
    def usual(self) -> bool:
        """True if direct requests can be made: in a function with keys, and nothing special."""
        special = (
            self.aws_ignore_configured_endpoint_urls
            or self.aws_use_fips_endpoint
            or self.aws_use_dualstack_endpoint
            or self.aws_ca_bundle
            or config.has_proxy()
        )
        keys = (self.aws_access_key_id and self.aws_secret_access_key) or self.credentials_url
        in_lambda = self.aws_lambda_function_name and _REGION.fullmatch(self.aws_region)
        return bool(in_lambda and keys and not special)

    @property
    def credentials_url(self) -> SplitResult | None:
        """Address of the keys that SnapStart has in no variables, on the function's own machine."""
        url = urlsplit(self.aws_container_credentials_full_uri)
        ours = url.scheme == "http" and url.hostname in _LOOPBACK
        return url if ours and self.aws_container_authorization_token else None

    def url(self, service: Service) -> str:
        """Endpoint of a service, without a path."""
        stated = {
            "dynamodb": self.aws_endpoint_url_dynamodb,
            "pinpoint-sms-voice-v2": self.aws_endpoint_url_pinpoint_sms_voice_v2,
            "scheduler": self.aws_endpoint_url_scheduler,
            "secretsmanager": self.aws_endpoint_url_secrets_manager,
            "sesv2": self.aws_endpoint_url_sesv2,
            "sns": self.aws_endpoint_url_sns,
        }
        china = ".cn" if self.aws_region.startswith("cn-") else ""
        usual = f"https://{SERVICES[service].host}.{self.aws_region}.amazonaws.com{china}"
        url = urlsplit(stated[service] or self.aws_endpoint_url or usual)
        return f"{url.scheme}://{url.netloc}"
