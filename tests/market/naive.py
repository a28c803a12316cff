"""The market's rules a second time, naive and slow: what the product must agree with, round by round."""
# ruff: noqa: B023 - its inner functions live for one round, and so do the names that they read

import math
from typing import Any

from market.action import CLASSES


def model(scenario: dict[str, Any]) -> dict[str, Any]:  # noqa: PLR0915
    """One function from top to bottom on purpose: nothing of the product's shape is in it."""
    S = {
        "threshold": 1000,
        "slots": 200,
        "cuPerCredit": 500,
        "freeCu": 100,
        "freeLane": 50,
        "agingRounds": 10,
        "tenantPressureCap": 0,
        "maxReservations": 200,
        "backoffMax": 32,
        **scenario["settings"],
    }
    bal = {a["id"]: a["balance"] for a in scenario["accounts"]}
    acc = {a["id"]: a for a in scenario["accounts"]}
    esc = rev = 0
    R = [dict(r, st=None, pool=0) for r in scenario["reservations"]]
    live = []
    since = {}
    lastused = None
    out = []
    A = [
        dict(
            a,
            i=i,
            left=a["need"],
            dl=a["round"] + a["contract"].get("maxWaitTime", 30),
            wake=0,
            miss=0,
            spent=0,
            deg=False,
            state="pending",
            done=None,
            c=a["contract"],
        )
        for i, a in enumerate(scenario["actions"])
    ]
    for n in range(scenario["rounds"]):
        for t in scenario["topUps"]:
            if t["round"] == n:
                bal[t["account"]] += t["credits"]
        for r in R:
            if r["at"] != n:
                continue
            ok = [o for o in R if o["st"] == "ok"]
            if r["start"] <= n or r["end"] <= r["start"] or r["credits"] < 1:
                r["st"] = "window"
            elif any(
                o["account"] == r["account"] and o["start"] < r["end"] and r["start"] < o["end"] for o in ok
            ):
                r["st"] = "overlap"
            elif any(
                sum(o["start"] <= t < o["end"] for o in ok) >= S["maxReservations"]
                for t in range(r["start"], r["end"])
            ):
                r["st"] = "sold out"
            elif bal[r["account"]] < r["credits"]:
                r["st"] = "insufficient"
            else:
                r["st"] = "ok"
                bal[r["account"]] -= r["credits"]
                esc += r["credits"]
                r["pool"] = r["credits"] * S["cuPerCredit"]
        for c in scenario["cancels"]:
            r = R[c["reservation"]]
            if c["at"] == n and r["st"] == "ok" and n < r["start"]:
                r["st"] = "cancelled"
                r["pool"] = 0
                bal[r["account"]] += r["credits"]
                esc -= r["credits"]
        for r in R:
            if r["st"] == "ok" and r["start"] == n:
                esc -= r["credits"]
                rev += r["credits"]
        live += [a for a in A if a["round"] == n]
        for a in live[:]:
            if n >= a["dl"]:
                fb = a["c"].get("fallbackBehavior", "queue")
                if fb == "degrade" and not a["deg"]:
                    a["deg"] = True
                    a["left"] = min(a["left"], S["freeCu"])
                    a["dl"] += a["c"].get("maxWaitTime", 30)
                else:
                    a["state"] = "failed" if fb in ("fail", "degrade") else "expired"
                    live.remove(a)

        def inst(a):
            return (a["account"], a["service"])

        since = {k: since.get(k, n) for k in map(inst, live)}
        P = [a for a in live if a["wake"] <= n]

        def key(a):
            return (
                -min(
                    3, CLASSES.index(a["c"].get("priority", "normal")) + (n - a["round"]) // S["agingRounds"]
                ),
                a["round"],
                a["i"],
            )

        P.sort(key=key)
        per = {}
        for a in P:
            per[a["account"]] = per.get(a["account"], 0) + math.ceil(a["left"] / S["freeCu"])
        press = sum(min(v, S["tenantPressureCap"]) if S["tenantPressureCap"] else v for v in per.values())
        served = []
        free = {}
        start = {a["i"]: a["left"] for a in P}

        def give(a, cu, src):
            a["left"] -= cu
            served.append({"action": a["i"], "cu": cu, "source": src})

        def share(pool, k, src):
            while k > 0:
                heads = {}
                for a in pool:
                    if a["left"] and inst(a) not in heads:
                        heads[inst(a)] = a
                can = [
                    a
                    for a in heads.values()
                    if free.get(inst(a), 0) + min(S["freeCu"], a["left"]) <= S["freeCu"]
                ]
                if not can:
                    return
                a = min(can, key=lambda a: (since[inst(a)], key(a)))
                e = min(S["freeCu"], a["left"])
                free[inst(a)] = free.get(inst(a), 0) + e
                since[inst(a)] = n
                give(a, e, src)
                k -= 1

        held = {
            r["account"]: r for r in R if r["st"] == "ok" and r["start"] <= n < r["end"] and r["pool"] > 0
        }

        def draw():
            for x in sorted(held):
                for a in P:
                    if a["account"] == x:
                        cu = min(a["left"], held[x]["pool"])
                        if cu:
                            give(a, cu, "reserved")
                            held[x]["pool"] -= cu

        def tot(*s):
            return sum(o["cu"] for o in served if o["source"] in s)

        price = 0
        caps = {}
        won = []
        used = None
        cap = S["slots"] * S["cuPerCredit"]
        if press <= S["threshold"]:
            share(P, 10**9, "free")
            draw()
        else:
            draw()
            lane = S["freeLane"]
            if lane and lastused is not None:
                lane = max(lane, (cap - lastused) // S["freeCu"])
            share([a for a in P if n - a["round"] >= 1], lane, "aged")

            def may(a):
                ab = a["c"].get("autoBid")
                return (
                    acc[a["account"]]["autoBid"]
                    and ab is not False
                    and (a["c"].get("priority", "normal") != "low" or ab is True)
                )

            def rem(a):
                return 10**9 if a["c"].get("costCeiling") is None else a["c"]["costCeiling"] - a["spent"]

            for x in acc:
                if x in held:
                    continue
                m = [a for a in P if a["account"] == x and a["left"] and may(a)]
                if m:
                    c = min(bal[x], acc[x]["bidCap"] or 10**9, max(map(rem, m)))
                    if c >= 1:
                        caps[x] = c
            price = 1
            inn = set(caps)
            while len(inn) > S["slots"]:
                nxt = {x for x in inn if caps[x] >= price + 1}
                if len(nxt) < S["slots"]:
                    break
                price += 1
                inn = nxt

            def lead(x):
                return next(a for a in P if a["account"] == x and a["left"] and may(a) and rem(a) >= price)

            if len(inn) > S["slots"]:
                up = [x for x in inn if caps[x] > price]
                t = sorted((x for x in inn if caps[x] == price), key=lambda x: (key(lead(x)), x))
                inn = up + t[: S["slots"] - len(up)]
            won = sorted(inn)
            for x in won:
                first = lead(x)
                first["spent"] += price
                bal[x] -= price
                rev += price
                b = price * S["cuPerCredit"]
                for a in [first] + [a for a in P if a["account"] == x and a is not first]:
                    cu = min(b, a["left"])
                    if cu:
                        give(a, cu, "won")
                        b -= cu
            if len(won) < S["slots"]:
                share(
                    [a for a in P if a["account"] not in caps],
                    max(0, cap - tot("won", "reserved", "aged")) // S["freeCu"],
                    "unsold",
                )
            else:
                used = tot("won", "reserved")
        lastused = used
        for a in P:
            fb = a["c"].get("fallbackBehavior", "queue")
            if a["left"] == 0:
                a["state"] = "done"
                a["done"] = n
                live.remove(a)
            elif a["left"] == start[a["i"]]:
                if fb == "retry":
                    a["wake"] = n + 1 + min(2 ** a["miss"], S["backoffMax"])
                    a["miss"] += 1
                elif fb == "fail" and a["left"] == a["need"]:
                    a["state"] = "failed"
                    live.remove(a)
        since = {k: v for k, v in since.items() if k in set(map(inst, live))}
        out.append(
            {
                "round": n,
                "price": price,
                "pressure": press,
                "bids": caps,
                "winners": won,
                "charged": dict.fromkeys(won, price),
                "served": served,
            }
        )
    return {
        "rounds": out,
        "actions": [
            {"state": a["state"], "doneRound": a["done"], "spent": a["spent"], "degraded": a["deg"]}
            for a in A
        ],
        "reservations": [told(r, max(scenario["rounds"] - 1, 0)) for r in R],
        "balances": bal,
        "escrow": esc,
        "revenue": rev,
    }


def told(r: dict[str, Any], last: int) -> dict[str, Any]:
    if r["st"] == "cancelled":
        return {"status": "cancelled", "pool": 0}
    if r["st"] != "ok":
        return {"error": r["st"]}
    if last < r["start"]:
        return {"status": "upcoming", "pool": r["pool"]}
    return {"status": "active", "pool": r["pool"]} if last < r["end"] else {"status": "ended", "pool": 0}
