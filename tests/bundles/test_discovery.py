"""Modules, flows and prompts by folder and by list."""

from bundles import bundle
from bundles.bundle import Definition

HEAD = b"name: a\nservices: [{name: s}]\n"
FLOW = b"organism: {name: x}\n"
PDFLOW = b'{"nodes": []}'


def load(files: dict[str, bytes], head: bytes = b"") -> Definition:
    return bundle.load({"bundle.yaml": HEAD + head, **files})


def test_everything_is_found_in_its_folder() -> None:
    found = load(
        {
            "wasm/cart.wasm": b"",
            "wasm/cart.wit": b"",
            "wasm/deep/not.wasm": b"",
            "flows/one.yaml": FLOW,
            "flows/two/organism.yaml": FLOW,
            "flows/two/listeners/greeter.yaml": b"",
            "three/organism.yaml": FLOW,
            "flows/four.pdflow": PDFLOW,
            "five.pdflow": PDFLOW,
            "prompts/a/blog.prmd": b"---\nid: tech-blog\nname: A\nversion: 1.0.0\n---\nHello",
            "prompts/plain.prmd": b"no front matter",
            "prompts/broken.prmd": b"---\nid: [\n---\n",
            "prompts/blog.test.prmd": b"---\nid: test\n---\n",
        }
    )
    assert {problem.file for problem in found.problems} == {"prompts/broken.prmd", "prompts/plain.prmd"}
    assert found.modules == {"cart": "wasm/cart.wasm"}
    assert found.flows == {
        "one": "flows/one.yaml",
        "two": "flows/two/organism.yaml",
        "three": "three/organism.yaml",
        "four": "flows/four.pdflow",
        "five": "five.pdflow",
    }
    assert found.prompts == {
        "tech-blog": "prompts/a/blog.prmd",
        "plain": "prompts/plain.prmd",
        "broken": "prompts/broken.prmd",
    }


def test_a_flow_of_two_kinds_is_an_error() -> None:
    found = load({"flows/x.yaml": FLOW, "flows/x.pdflow": PDFLOW})
    assert [(p.severity, p.message) for p in found.problems] == [
        ("error", "the flow 'x' stands for two files, flows/x.pdflow and flows/x.yaml")
    ]


def test_two_prompts_of_one_id_are_an_error() -> None:
    prompt = b"---\r\nid: blog\r\nname: A\r\nversion: 1.0.0\r\n---\r\n"
    found = load({"prompts/a.prmd": prompt, "prompts/b.prmd": prompt})
    assert [p.message for p in found.problems if p.severity == "error"] == [
        "the prompt 'blog' stands for two files, prompts/a.prmd and prompts/b.prmd"
    ]


def test_a_list_names_files_anywhere() -> None:
    head = (
        b"wasm: [{name: shop, path: build/out.wasm}, lib/util.wasm]\n"
        b"flows: [x/main.pdflow]\nprompts: [{path: p.prmd}]\n"
    )
    files = {
        "build/out.wasm": b"",
        "lib/util.wasm": b"",
        "x/main.pdflow": PDFLOW,
        "p.prmd": b"---\nid: hi\nname: A\nversion: 1.0.0\n---\n",
        "wasm/own.wasm": b"",
    }
    found = load(files, head)
    assert not found.problems
    assert found.modules == {"shop": "build/out.wasm", "util": "lib/util.wasm", "own": "wasm/own.wasm"}
    assert (found.flows, found.prompts) == ({"main": "x/main.pdflow"}, {"hi": "p.prmd"})


def test_a_listed_file_keeps_its_listed_name_only() -> None:
    found = load({"wasm/cart.wasm": b""}, b"wasm: [{name: basket, path: wasm/cart.wasm}]\n")
    assert found.modules == {"basket": "wasm/cart.wasm"}


def test_a_listed_file_that_is_absent_is_a_warning_and_outside_an_error() -> None:
    found = load({}, b"wasm:\n  - {name: x, path: wasm/x.wasm}\n  - {path: ../x.wasm}\n")
    assert [(p.severity, p.line) for p in found.problems] == [("warning", 4), ("error", 5)]
    assert found.modules == {}


def test_a_file_name_that_deceives_is_no_name() -> None:
    found = load({"wasm/a\u200bb.wasm": b""})
    assert [p.severity for p in found.problems] == ["error"]
    assert found.modules == {}


def test_a_bundle_of_flows_needs_no_services() -> None:
    found = bundle.load({"bundle.yaml": b"name: a\n", "flows/x.yaml": FLOW})
    assert found.problems == ()
