"""An email as long as the product's, and the counters that it is charged to."""

import time
from typing import Any

from .clients import variable

LIMITS = variable("LIMITS_TABLE")
_FROM = variable("EMAIL_FROM")
_SET = variable("EMAIL_CONFIGURATION_SET")
_PAGE = '<!doctype html>\n<html lang="en">\n<body>{text}</body>\n</html>\n'
_STYLE = "<style>.text { color: #e6e9ed !important; }</style>\n" * 90
_DAY_SECONDS = 86_400


def request(to: str, subject: str, text: str, **tags: str) -> dict[str, Any]:
    """Parameters of SendEmail."""
    body = {"Text": {"Data": text}, "Html": {"Data": _STYLE + _PAGE.format(text=text)}}
    return {
        "FromEmailAddress": _FROM,
        "Destination": {"ToAddresses": [to]},
        "Content": {"Simple": {"Subject": {"Data": subject}, "Body": body}},
        "EmailTags": [{"Name": name, "Value": value} for name, value in tags.items()],
        "ConfigurationSetName": _SET,
    }


def charge(subject: str, quota: int) -> dict[str, Any]:
    """Part of a transaction that counts an email of the day, up to a quota."""
    day = int(time.time()) // _DAY_SECONDS
    update = {
        "TableName": LIMITS,
        "Key": {"limit_key": {"S": f"{subject}#{day}"}},
        "UpdateExpression": "SET delete_at = :until ADD used :one",
        "ConditionExpression": "attribute_not_exists(used) OR used <= :room",
        "ExpressionAttributeValues": {
            ":until": {"N": str((day + 1) * _DAY_SECONDS)},
            ":one": {"N": "1"},
            ":room": {"N": str(quota - 1)},
        },
    }
    return {"Update": update}
