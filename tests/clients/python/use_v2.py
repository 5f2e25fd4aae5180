"""The official Python client of the second generation: signs in, lists, calls, reads, gets; prints what it saw.

Usage: use_v2.py ENDPOINT AGENT_ID MODE, where MODE is a revision or `legacy`.
"""

import asyncio
import json
import sys

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from sign_in import METADATA, Memory, answer, send_the_user


async def callback() -> AuthorizationCodeResult:
    parameters = await answer()
    return AuthorizationCodeResult(
        code=parameters["code"], state=parameters.get("state"), iss=parameters.get("iss")
    )


async def main(endpoint: str, agent: int, mode: str) -> None:
    provider = OAuthClientProvider(endpoint, METADATA, Memory(), send_the_user, callback)
    async with (
        httpx2.AsyncClient(auth=provider, timeout=60) as http,
        Client(streamable_http_client(endpoint, http_client=http), mode=mode) as client,
    ):
        read = await client.read_resource(f"sequentum://agents/{agent}")
        called = await client.call_tool("whoami", {})
        got = await client.get_prompt("debug-agent", {"agentName": "Carrier tariffs"})
        seen = {
            "revision": client.protocol_version,
            "tools": [tool.name for tool in (await client.list_tools()).tools],
            "prompts": len((await client.list_prompts()).prompts),
            "resources": len((await client.list_resources()).resources),
            "organization": called.structured_content["organization"],
            "agent": json.loads(read.contents[0].text)["name"],
            "prompt": got.messages[0].content.text,
        }
    print("SEEN", json.dumps(seen))


asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
