"""The house holds: imports and foreign keys point down, pure modules stay pure, files stay small."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ["billing", "bundles", "market", "runtime", "priostack"]
PURE = {
    "bundles": {
        *("values", "nodes", "composer", "scalars", "names", "fields", "schema", "duration", "target"),
        *("paths", "contract", "contractlint", "objective", "goals", "intents", "endpoints", "service"),
        *("overlay", "gather", "interceptor", "interceptorkinds", "promptinterceptors"),
        *(
            "flowmodel",
            "flowkinds",
            "flowedges",
            "flowfields",
            "flowhandlers",
            "flowlisteners",
            "flowtriggers",
        ),
        *(
            "flowcron",
            "flowoptions",
            "flowtexts",
            "flowlinks",
            "flowllm",
            "flowtext",
            "organism",
            "organismfiles",
        ),
        *("jsontree", "pdflow", "pdgraph", "pdnodes", "pdtext"),
        *("discovery", "linking", "flow", "bundle", "routes", "wasmfile"),
        *("prompt", "promptcheck", "promptcompile", "promptfiles", "promptfront", "promptlegacy"),
        *("promptlenient", "promptlint", "promptmessages", "promptpackages", "promptparams", "promptprepare"),
        *("promptreferences", "promptschema", "promptsections", "promptstreaming", "prompttest"),
        *("promptrehearsal", "promptdocuments", "promptpictures", "promptsheets", "promptwords"),
        *("openapi", "openapiparts", "openapischema"),
        *("form", "formcolours", "formcss", "formfields", "formpattern", "formselectors", "formtheme"),
        *("formtokens", "formvalues"),
        *("cel", "celcalls", "celcompile", "celdocs", "celerror", "celfunction", "celfunctions", "cellexer"),
        *("cellists", "celmacros", "celnodes", "celnumbers", "celoperators", "celparser", "celregex"),
        *("celstrings", "celtimes", "celvalues", "template"),
    },
    "billing": {"plans", "slugs", "ids", "addresses"},
    "market": {
        *("rules", "estimate", "account", "action", "order", "pricing", "bids", "reservation", "fallback"),
        *("result", "workbench", "robin", "clearing", "scenario", "wallets", "bookings", "simulation"),
        *("futures", "population", "discipline", "fairness", "fairnesstable"),
    },
}
ALLOWED_IN_PURE = set(sys.stdlib_module_names) | {"yaml", "pydantic", "re2", "_typeshed"}
FORBIDDEN_IN_PURE = {"socket", "subprocess", "sqlite3", "http", "urllib.request", "multiprocessing"}
MODULES = [
    path
    for floor in FLOORS
    for path in sorted((ROOT / floor).rglob("*.py"))
    if "migrations" not in path.parts
]


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every imported module, also inside functions; relative imports are refused by another test."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names] if node.module in FLOORS else [""]
            yield from ((node.lineno, name or "." * node.level + (node.module or "")) for name in names)


def floor_of(module: str) -> int | None:
    top = module.split(".")[0]
    return FLOORS.index(top) if top in FLOORS else None


def is_pure(path: Path) -> bool:
    return len(path.parts) >= 2 and path.stem in PURE.get(path.parts[-2], set())


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    mine = FLOORS.index(path.relative_to(ROOT).parts[0])
    up = [f"{line}: {name}" for line, name in imports(path) if (floor_of(name) or 0) > mine]
    relative = [f"{line}: {name}" for line, name in imports(path) if name.startswith(".")]
    assert not up
    assert not relative


@pytest.mark.parametrize(
    "path", [p for p in MODULES if is_pure(p)], ids=lambda path: str(path.relative_to(ROOT))
)
def test_pure_modules_import_no_django_and_no_io(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0]
    for line, name in imports(path):
        top = name.split(".")[0]
        assert name not in FORBIDDEN_IN_PURE, f"{line}: {name}"
        if top in FLOORS:
            assert top == own or FLOORS.index(top) < FLOORS.index(own), f"{line}: {name}"
            assert name.split(".")[1] not in {"models", "api", "views", "store"}, f"{line}: {name}"
        else:
            assert top in ALLOWED_IN_PURE, f"{line}: {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_short_and_say_what_they_are(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), "a module docstring is missing"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_fit_on_a_screen(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, node.name


def test_foreign_keys_point_down() -> None:
    for model in apps.get_models():
        mine = floor_of(model.__module__)
        for field in model._meta.get_fields():
            if mine is None or not field.is_relation or field.auto_created or field.related_model is None:
                continue
            theirs = floor_of(field.related_model.__module__)
            assert theirs is None or theirs <= mine, f"{model.__name__}.{field.name}"


def test_nobody_uses_signals() -> None:
    for path in MODULES:
        for line, name in imports(path):
            assert not (name.startswith("django") and name.endswith(("signals", "dispatch"))), (
                f"{path}:{line}"
            )


def test_flows_never_import_the_waist() -> None:
    flows = ROOT / "runtime" / "flows.py"
    if flows.exists():
        assert all(name != "runtime.call" for _, name in imports(flows))


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=str)
def test_browser_tests_do_not_wait_by_eval(path: Path) -> None:
    """Playwright's wait evals within the page, which our policy forbids: it passes only if it need not wait."""
    assert "wait_for_" + "function" not in path.read_text()
