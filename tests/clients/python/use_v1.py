"""The official Python client of the first generation: signs in, lists, calls, reads, gets; prints what it saw.

Usage: use_v1.py ENDPOINT AGENT_ID
"""

import asyncio
import json
import sys

from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client
from pydantic import AnyUrl
from sign_in import METADATA, Memory, answer, send_the_user


async def callback() -> tuple[str, str | None]:
    parameters = await answer()
    return parameters["code"], parameters.get("state")


async def main(endpoint: str, agent: int) -> None:
    provider = OAuthClientProvider(endpoint, METADATA, Memory(), send_the_user, callback)
    async with (
        create_mcp_http_client(auth=provider) as http,
        streamable_http_client(endpoint, http_client=http) as (reading, writing, session_id),
        ClientSession(reading, writing) as session,
    ):
        revision = (await session.initialize()).protocolVersion
        read = await session.read_resource(AnyUrl(f"sequentum://agents/{agent}"))
        called = await session.call_tool("whoami", {})
        got = await session.get_prompt("debug-agent", {"agentName": "Carrier tariffs"})
        seen = {
            "revision": revision,
            "session": bool(session_id()),
            "tools": [tool.name for tool in (await session.list_tools()).tools],
            "prompts": len((await session.list_prompts()).prompts),
            "resources": len((await session.list_resources()).resources),
            "organization": called.structuredContent["organization"],
            "agent": json.loads(read.contents[0].text)["name"],
            "prompt": got.messages[0].content.text,
        }
    print("SEEN", json.dumps(seen))


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
