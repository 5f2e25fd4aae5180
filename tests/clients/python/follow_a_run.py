"""The official Python client: lists, gets, reads and completes, then follows a run until it ends.

Usage: follow_a_run.py ENDPOINT MODE AGENT_ID, with the access token in ACCESS_TOKEN. Exits with 0 if all went well.
"""

import asyncio
import json
import os
import sys
import warnings

import httpx2
from mcp import Client, types
from mcp.client.streamable_http import streamable_http_client

warnings.filterwarnings("ignore")


async def main(endpoint: str, mode: str, agent: int) -> None:
    http = httpx2.AsyncClient(
        headers={"Authorization": f"Bearer {os.environ['ACCESS_TOKEN']}"}, timeout=60
    )
    updates: asyncio.Queue[str] = asyncio.Queue()

    async def heard(message: object) -> None:
        if isinstance(message, types.ResourceUpdatedNotification):
            updates.put_nowait(str(message.params.uri))

    transport = streamable_http_client(endpoint, http_client=http)
    async with Client(transport, mode=mode, message_handler=heard) as client:
        if mode != "legacy":
            assert client.protocol_version == mode, client.protocol_version
        assert len((await client.list_tools()).tools) > 40
        assert len((await client.list_prompts()).prompts) == 11
        assert len((await client.list_resources()).resources) == 7
        assert len((await client.list_resource_templates()).resource_templates) == 12

        prompt = await client.get_prompt("debug-agent", {"agentName": "Shoe catalogue"})
        assert "`Shoe catalogue`" in prompt.messages[0].content.text
        template = types.ResourceTemplateReference(
            type="ref/resource", uri="sequentum://agents/{agentId}"
        )
        completed = await client.complete(template, {"name": "agentId", "value": str(agent)})
        assert completed.completion.values == [str(agent)], completed

        started = await client.call_tool("start_agent", {"agentId": agent})
        run = started.structured_content["run"]["id"]
        uri = f"sequentum://agents/{agent}/runs/{run}"

        async def finished() -> bool:
            read = await client.read_resource(uri)
            return json.loads(read.contents[0].text)["finished"]

        assert not await finished()
        if mode == "legacy":
            await client.subscribe_resource(uri)
            while not await finished():
                assert await asyncio.wait_for(updates.get(), 120) == uri
        else:
            count = 0
            async with client.listen(resource_subscriptions=[uri]) as subscription:
                assert subscription.honored.resource_subscriptions == [uri]
                async for _ in subscription:
                    count += 1
            assert count >= 1 and await finished()
        print(f"followed {uri} in {client.protocol_version}")


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
