"""verify_check with FastAPI behind Mangum, and boto3's resources."""

from typing import Any

from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel

from .boto3_table import check

app = FastAPI()


class VerifyCheck(BaseModel):
    """Parameters."""

    verification_id: str
    code: str


@app.post("/workflows/verify_check")
def verify_check(asked: VerifyCheck) -> dict[str, Any]:
    """Answers a request; FastAPI validates it."""
    return check(asked.verification_id, asked.code)


lambda_handler = Mangum(app, lifespan="off")
