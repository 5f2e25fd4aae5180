"""What the official Python client of either generation needs to sign in: a memory, and a user behind standard input.

The address that the user has to visit is printed as `AUTHORIZE <url>`; the line that comes back is the address at which
the client gets its answer.
"""

import asyncio
import sys
from urllib.parse import parse_qs, urlsplit

from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

REDIRECT_URI = "http://127.0.0.1:33420/callback"

METADATA = OAuthClientMetadata(
    client_name="Official Python client test",
    redirect_uris=[REDIRECT_URI],
    grant_types=["authorization_code", "refresh_token"],
    response_types=["code"],
    token_endpoint_auth_method="none",
)


class Memory:
    """A store for tokens that ends with the process."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


async def send_the_user(url: str) -> None:
    print("AUTHORIZE", url, flush=True)


async def answer() -> dict[str, str]:
    """The parameters of the callback."""
    line = await asyncio.to_thread(sys.stdin.readline)
    return {name: values[0] for name, values in parse_qs(urlsplit(line.strip()).query).items()}
