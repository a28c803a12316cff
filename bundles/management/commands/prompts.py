"""`manage.py prompts compile FILE` and `manage.py prompts test PATH`: prompts on disk, without a bundle or a model."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bundles.promptcheck import from_text
from bundles.promptcompile import FORMATS, Compiled, Prepared, prepare
from bundles.promptfolder import PromptFolder, root_of
from bundles.prompttest import ENDING, PromptResult, run_file, run_tests


class Command(BaseCommand):
    help = "Compile a prompt, or run the tests beside prompts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("do", choices=("compile", "test"))
        parser.add_argument("path", type=Path, help="a .prmd file; for test also a folder")
        parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE")
        parser.add_argument("--params", type=Path, metavar="FILE", help="a JSON file with all values")
        parser.add_argument("--format", choices=FORMATS, default="markdown")
        parser.add_argument("--root", type=Path, help="the folder that references may not leave")
        parser.add_argument("--json", action="store_true", help="answer as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["path"]
        if not path.exists():
            raise CommandError(f"{path}: there is no such file")
        root = (options["root"] or root_of(path)).resolve()
        if not path.resolve().is_relative_to(root):
            raise CommandError(f"{path} is not below {root}")
        files, name = PromptFolder(root), path.resolve().relative_to(root).as_posix()
        if options["do"] == "compile":
            self.compile(prepare(files, name), options)
        else:
            self.test(results_of(files, path, name), options)

    def compile(self, prepared: Prepared, options: dict[str, Any]) -> None:
        compiled = prepared.render(values_of(prepared, options), options["format"])
        if options["json"]:
            self.stdout.write(json.dumps(compiled.json(), ensure_ascii=False))
        else:
            self.tell(compiled)
        if compiled.has_errors:
            raise SystemExit(1)

    def tell(self, compiled: Compiled) -> None:
        """The text as it is, for a pipe; what is wrong goes beside it."""
        for problem in compiled.problems:
            hint = f" ({problem.hint})" if problem.hint else ""
            place = f"{problem.file}:{problem.line}:{problem.column}"
            self.stderr.write(printable(f"{place}: {problem.severity}: {problem.message}{hint}"))
        output = compiled.output
        text = output if isinstance(output, str) else json.dumps(output, indent=2, ensure_ascii=False)
        self.stdout.write(harmless(text) if self.stdout.isatty() else text)

    def test(self, results: list[PromptResult], options: dict[str, Any]) -> None:
        failed = sum(not one.passed for one in results)
        if options["json"]:
            items = [asdict(one) | {"passed": one.passed} for one in results]
            counts = {"passed": len(results) - failed, "failed": failed}
            self.stdout.write(json.dumps({"items": items, **counts}))
        else:
            for one in results:
                self.stdout.write(
                    f"{'ok  ' if one.passed else 'FAIL'} {printable(one.file)}:{one.line} {printable(one.name)}"
                )
                for said in (*one.reasons, *(f"skipped: {why}" for why in one.skipped)):
                    self.stdout.write(f"     {printable(said)}")
            self.stdout.write(f"{len(results) - failed} passed, {failed} failed")
        if failed:
            raise SystemExit(1)


def results_of(files: PromptFolder, path: Path, name: str) -> list[PromptResult]:
    """Of one test file, of the tests beside one prompt, or of a folder."""
    if path.is_dir():
        return run_tests(files.below(name))
    test = name if name.endswith(ENDING) else name.removesuffix(".prmd") + ENDING
    if test not in files:
        raise CommandError(f"There is no {test}.")
    return list(run_file(files, test))


def values_of(prepared: Prepared, options: dict[str, Any]) -> dict[str, Any]:
    """From --params and --param; a text becomes what its parameter is declared as."""
    found: dict[str, Any] = {}
    if options["params"]:
        try:
            found = json.loads(options["params"].read_text(encoding="utf-8"))
        except (OSError, ValueError) as wrong:
            raise CommandError(f"{options['params']}: {wrong}") from None
        if not isinstance(found, dict):
            raise CommandError(f"{options['params']}: must be a JSON object")
    known = {one.name: one for one in prepared.parameters}
    for written in options["param"]:
        name, given, text = written.partition("=")
        if not given or not name:
            raise CommandError(f"--param {written}: write NAME=VALUE")
        one = known.get(name)
        found[name] = from_text(one, text) if one is not None and text else text
    return found


def printable(text: str) -> str:
    """Text of strangers without what a terminal would obey."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def harmless(text: str) -> str:
    """The same of a text in lines, for a terminal."""
    return "\n".join(printable(line.replace("\t", "    ")) for line in text.split("\n"))
