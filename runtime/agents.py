"""Agents: a language model that thinks in rounds and uses the peers of its node as tools.

Each round is one call of the model; the tools it wishes for run side by side, and what they answer, failures too,
is told to it. A text without wishes is the agent's answer, and so is what it gave to a peer that is an output.
"""

import asyncio
from dataclasses import replace

import orjson

from runtime import agentbuffer, llm, promptnode
from runtime.agentbuffer import Conversation
from runtime.agenttools import Peer, call, peers, told
from runtime.flowneeds import Context, Failure, Need
from runtime.llm import LlmError, Message, Reply, Request

MAX_PARALLEL = 16  # tools of one agent at the same time


async def perform(need: Need, context: Context) -> bytes | Failure:
    """The agent's answer: its text, or the payload of the output that it called."""
    if need.listener.handler.target is not None:
        text = await promptnode.system(need, context)
        if isinstance(text, Failure):
            return text
        need = replace(need, listener=replace(need.listener, prompt=text))
    talk = await agentbuffer.load(need, context)
    if talk.resumes(need):
        if talk.answer is not None:
            return talk.answer
    else:
        talk.begin(need, llm.hidden(context, said(need.payload)))
    try:
        return await think(need, context, talk)
    except LlmError as error:
        return llm.failure(error)


def said(payload: bytes) -> str:
    """What came to the agent: a text as it is, everything else as JSON."""
    return llm.text(orjson.loads(payload or b"null"))


async def think(need: Need, context: Context, talk: Conversation) -> bytes | Failure:
    tools = peers(context.flow, need.listener)
    where = llm.backends(context)
    while talk.open or talk.rounds < need.listener.max_iterations:
        if not talk.open:
            reply = await llm.ask(asked(need, context, talk, tools), context, where)
            talk.rounds += 1
            talk.messages.append(Message("assistant", reply.text, numbered(reply, talk.rounds).calls))
        if talk.open:
            await context.save(talk.packed())  # whoever goes on from here does not ask the model again
            answer = await used(talk, tools, context)
        else:
            answer = orjson.dumps(llm.hidden(context, talk.messages[-1].text))
        talk.answer = answer
        await context.save(talk.packed())
        if answer is not None:
            return answer
    return Failure("budget", f"the agent did not come to an end in {talk.rounds} rounds")


def asked(need: Need, context: Context, talk: Conversation, tools: dict[str, Peer]) -> Request:
    agent = need.listener
    head = [Message("system", agent.prompt)] if agent.prompt else []
    return Request(
        (*head, *talk.messages),
        model=agent.model,
        tools=tuple(peer.tool for peer in tools.values()),
        temperature=agent.temperature,
        max_tokens=agent.max_tokens,
        key=f"{context.idempotency_key(need)}:{need.attempt}:{talk.rounds}",
    )


def numbered(reply: Reply, round: int) -> Reply:
    """Ids of calls that are unique in the conversation: not every provider gives such."""
    calls = tuple(replace(one, id=f"r{round}_{n}") for n, one in enumerate(reply.calls))
    return replace(reply, calls=calls)


async def used(talk: Conversation, tools: dict[str, Peer], context: Context) -> bytes | None:
    """Run the tools of the last message side by side; the agent's answer when an output was among them."""
    wishes = talk.messages[-1].calls
    room = asyncio.Semaphore(MAX_PARALLEL)

    async def one(number: int) -> bytes | Failure:
        async with room:
            return await call(wishes[number], tools, context)

    results = await asyncio.gather(*(one(number) for number in range(len(wishes))))
    talk.messages += [told(wish, result, context) for wish, result in zip(wishes, results, strict=True)]
    for wish, result in zip(wishes, results, strict=True):
        if isinstance(result, bytes) and tools[wish.name].ends:
            return result
    return None
