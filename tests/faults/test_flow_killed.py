"""kill -9 of the worker between the steps of flows: every acknowledged run ends well, no finished step happens twice."""

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.faults.site import Site
from tests.priostack.test_up_runs import wait

pytestmark = pytest.mark.slow
RUNS = 40
FLOW = """
organism: {{name: intake}}
triggers:
  - {{name: order, type: webhook, respond: async, to: first}}
listeners:
  - {{name: first, handler: "wasm:counter:run", peers: [tell]}}
  - {{name: tell, handler: "builtin:http", with: {{method: POST, url: "{url}", body: "${{payload}}"}}, peers: [pause]}}
  - {{name: pause, handler: "builtin:delay", with: {{for: 20ms}}, peers: [second]}}
  - {{name: second, handler: "wasm:counter:run", peers: [tell-again]}}
  - {{name: tell-again, handler: "builtin:http", with: {{method: POST, url: "{url}", body: "${{payload}}"}}}}
"""


class Outside(BaseHTTPRequestHandler):
    keys: Counter[str] = Counter()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        Outside.keys[self.headers.get("idempotency-key", "")] += 1
        time.sleep(0.05)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def outside() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Outside)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, outside: str) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "PRIOSTACK_EGRESS_ALLOW", outside)
        found = Site(tmp_path_factory.mktemp("flowfaults"))
    try:
        found.begin()
        flow = found.home / "shop" / "flows" / "intake.yaml"
        flow.parent.mkdir()
        flow.write_text(FLOW.format(url=f"http://{outside}/"))
        found.manage("import", str(found.home / "shop"), "--tenant", "acme", "--run", "--json")
        yield found
    finally:
        found.popen.send_signal(signal.SIGINT)
        try:
            found.popen.wait(20)
        finally:
            found.popen.poll() is None and found.popen.kill()
            wait(lambda: not found.left(), found.log)


def knock(site: Site, path: str) -> str:
    connection = HTTPConnection("127.0.0.1", site.port, timeout=10)
    try:
        connection.request("POST", path, b"{}", {"content-type": "application/json"})
        answer = connection.getresponse()
        assert answer.status == 202, answer.read()
        return str(json.loads(answer.read())["execution"])
    finally:
        connection.close()


def test_kill_9_of_the_worker_repeats_no_finished_step(site: Site) -> None:
    before = site.counted()
    (flow,) = site.ask("GET", "/api/flows")[2]["items"]
    path = f"/api/triggers/{flow['id']}/webhook/{flow['triggers'][0]['token']}"
    wait(lambda: site.ask("GET", f"/api/flows/{flow['id']}")[2].get("status") == "running", site.log)
    runs = []
    for _ in range(2):
        runs += [knock(site, path) for _ in range(RUNS // 2)]
        wait(lambda: sum(Outside.keys.values()) >= RUNS // 4, site.log)
        site.kill("worker")
    wait(
        lambda: all(site.history().get(run, ("",))[0] in ("success", "error") for run in runs), site.log, 120
    )
    ends = {run: site.history()[run][0] for run in runs}
    assert set(ends.values()) == {"success"}, site.why(ends)
    assert site.counted() - before == 2 * RUNS
    asked = {key: count for key, count in Outside.keys.items() if key.split(":")[0] in runs}
    assert len(asked) == 2 * RUNS
    assert max(asked.values()) <= 3  # once, and once more for each kill that found it under way
    for run in runs:
        steps = site.ask("GET", f"/api/executions/{run}")[2]["steps"]
        seen = Counter(step["node"] for step in steps)
        assert seen == Counter(["first", "tell", "pause", "second", "tell-again"]), seen
    repeated = {key.split(":")[0] for key, count in asked.items() if count > 1}
    for run in repeated:
        steps = site.ask("GET", f"/api/executions/{run}")[2]["steps"]
        assert any(step.get("repeated") for step in steps), steps
