"""Compiles prompts: prepared once, rendered as often as wanted, as markdown or as messages for a model."""

from collections.abc import Mapping as Map
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from bundles import promptlegacy, promptmessages
from bundles.nunjucks import Limits, Template, TemplateError
from bundles.nunjucks import values as javascript
from bundles.nunjucks.errors import Failure
from bundles.nunjucks.limits import Run, Words
from bundles.nunjucks.units import sound
from bundles.prompt import Parameter, Prompt
from bundles.promptfiles import FileFault, Shelf, folder_of
from bundles.promptfront import Diagnostic, body_of, error
from bundles.promptlenient import Plan
from bundles.promptprepare import Text, put_together
from bundles.values import Problem

Format = Literal["markdown", "openai", "anthropic"]
Output = str | list[dict[str, str]] | dict[str, Any]
FORMATS: tuple[Format, ...] = ("markdown", "openai", "anthropic")
LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Compiled:
    """A finished prompt. `anthropic` is an object with `system` and `messages`, `openai` a list of messages."""

    output: Output
    problems: tuple[Problem, ...] = ()

    @property
    def has_errors(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)

    def json(self) -> dict[str, Any]:
        return {"output": self.output, "problems": [asdict(problem) for problem in self.problems]}


@dataclass(slots=True)
class Prepared:
    """A prompt ready to be rendered; it holds nothing of one rendering, so that many may share it."""

    text: Text
    files: Map[str, bytes]
    plan: Plan = field(init=False)
    templates: dict[bool, Template | Diagnostic] = field(default_factory=dict)
    included: dict[tuple[str, bool], Template] = field(default_factory=dict)
    words: Words | None = None  # that may still be read of its templates

    def __post_init__(self) -> None:
        self.plan = Plan(self.text.parameters)
        if self.text.content:
            self._template(marked=False)

    @property
    def prompt(self) -> Prompt:
        return self.text.prompt

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its own, then those that it inherits."""
        return self.text.parameters

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that can be known without rendering."""
        broken = [one for one in self.templates.values() if isinstance(one, Diagnostic)]
        return (*self.text.problems, *broken[:1])

    def render(
        self,
        params: Map[str, Any],
        format: Format = "markdown",
        *,
        limits: Limits = LIMITS,
        execution: bool = False,
    ) -> Compiled:
        """The prompt with these values; in an execution they are also visible as ``workflow.NAME``."""
        values, found = self.plan.values(params)
        if execution and "workflow" not in values:
            values["workflow"] = dict(values)
        marked = format != "markdown"
        text = self._rendered(values, found, limits, marked=marked) if self.text.content else ""
        contexts = self.text.contexts
        output: Output
        if not marked:
            output = promptmessages.markdown(text, contexts) if contexts else text
        elif format == "openai":
            output = promptmessages.openai(text, contexts)
        else:
            output = promptmessages.anthropic(text, contexts)
        problems = self.text.problems
        return Compiled(output, (*problems, *found) if found else problems)

    def _rendered(
        self, values: dict[str, Any], found: list[Diagnostic], limits: Limits, *, marked: bool
    ) -> str:
        template = self._template(marked=marked)
        if isinstance(template, Diagnostic):
            found.append(template)
            return self._plain(values, marked=marked)
        try:
            include = self._include_marked if marked else self._include
            return template.render(values, include=include, limits=limits)
        except TemplateError as wrong:
            found.append(self._broken(wrong))
            return self._plain(values, marked=marked)

    def _template(self, *, marked: bool) -> Template | Diagnostic:
        known = self.templates.get(marked)
        if known is None:
            content = promptmessages.marked(self.text.content) if marked else self.text.content
            try:
                known = Template.parse(content, name=self.prompt.file, words=self.words)
            except TemplateError as wrong:
                known = self._broken(wrong)
            self.templates[marked] = known
        return known

    def _plain(self, values: dict[str, Any], *, marked: bool) -> str:
        """Plain variables alone: a person still sees what the prompt is about."""
        content = promptmessages.marked(self.text.content) if marked else self.text.content
        run = Run(LIMITS, None)

        def shown(value: Any) -> str:
            text = javascript.text(run, value)
            run.make(len(text))
            return text

        try:
            return sound(promptlegacy.substituted(content, values, shown))
        except Failure:
            return content

    def _broken(self, wrong: TemplateError) -> Diagnostic:
        place = self.text.place(wrong.line, wrong.column)
        if wrong.name and wrong.name != self.prompt.file:
            place = place._replace(file=wrong.name, line=wrong.line, column=wrong.column)
        return error(place, "TEMPLATE_SYNTAX_ERROR", f"the template cannot be rendered: {wrong.message}")

    def _include(self, name: str) -> Template | None:
        return self._included(name, marked=False)

    def _include_marked(self, name: str) -> Template | None:
        return self._included(name, marked=True)

    def _included(self, name: str, *, marked: bool) -> Template | None:
        """Always relative to the prompt that is compiled, also from within an included file."""
        shelf = Shelf(self.files, folder_of(self.prompt.file))
        path = include_path(shelf, name)
        if not path:
            return None
        found = self.included.get((path, marked))
        if found is None:
            try:
                text = shelf.text(path)
            except FileFault:
                return None
            content = body_of(text) if path.endswith(".prmd") else text
            content = promptmessages.marked(content) if marked else content
            found = Template.parse(content, name=path, words=self.words)
            self.included[path, marked] = found
        return found


def include_path(shelf: Shelf, name: str) -> str:
    """The file that an include means: `.prmd` may be left out."""
    for ending in ("", ".prmd"):
        try:
            return shelf.find(name + ending)
        except FileFault:
            continue
    return ""


def prepare(files: Map[str, bytes], path: str, words: Words | None = None) -> Prepared:
    """Everything that does not depend on the parameters; callers keep it as long as the files are the same.

    ``words`` bounds its templates with all that they include, for who keeps it for one rendering alone.
    """
    return Prepared(put_together(files, path), files, words=words)


def compile_prompt(
    files: Map[str, bytes], main: str, params: Map[str, Any], format: Format = "markdown"
) -> Compiled:
    """As upstream reads it: what can be rendered is rendered, whatever else is wrong is told."""
    return prepare(files, main).render(params, format)
