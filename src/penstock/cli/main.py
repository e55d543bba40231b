"""The entry point: what was asked for, who does it, and how it ends.

Nothing is imported here that `penstock --help` does not need; each command loads its own module.
"""

from __future__ import annotations

import argparse
import difflib
import errno
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from penstock.cli.streams import flush_output
from penstock.model.errors import PenstockError

OK, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130

WINDOWS = "Penstock runs on Linux and macOS; on Windows, install WSL (https://aka.ms/wsl) and run it there."
INTERRUPTION = "Interrupted; runs go on in the background ('penstock runs' lists them, 'penstock cancel RUN' ends one)."


class Parser(argparse.ArgumentParser):
    """An argument parser that answers a misspelt command with the nearest one."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and what was probably meant; end with status 2."""
        self.exit(MISUSED, f"penstock: {_explain_choice(message)}\nTry '{self.prog} --help'.\n")


def _explain_choice(message: str) -> str:
    # argparse: argument COMMAND: invalid choice: 'shwo' (choose from 'run', 'runs', ...)
    _, found, rest = message.partition("invalid choice: ")
    if not found:
        return message
    given, _, listed = rest.partition(" (choose from ")
    known = [word.strip(" '\"") for word in listed.rstrip(")").split(",")]
    near = difflib.get_close_matches(given.strip("'"), known, n=1)
    hint = f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(known)}."
    return f"there is no command {given}. {hint}"


def build_parser() -> Parser:
    """Return the parser of the whole command line; the reference page is checked against it."""
    parser = Parser(prog="penstock", description="Run Azure Machine Learning SDK v1 pipelines on this machine.")
    parser.set_defaults(speaker=parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_run(commands)
    _add_runs(commands)
    _add_show(commands)
    _add_logs(commands)
    _add_cancel(commands)
    _add_explain(commands)
    _add_datasets(commands)
    _add_lineage(commands)
    _add_models(commands)
    _add_pipelines(commands)
    _add_endpoints(commands)
    _add_drafts(commands)
    _add_modules(commands)
    _add_schedules(commands)
    _add_environments(commands)
    _add_service(commands)
    _add_version(commands)
    return parser


def _add(commands: Any, name: str, text: str, **more: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text[0].lower() + text[1:-1], description=text, **more)
    parser.set_defaults(speaker=parser)
    return parser


def _add_run_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="id of a run, the beginning of one, or 'last'")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_run(commands: Any) -> None:
    parser = _add(commands, "run", "Run a v1 script or notebook in its own folder.")
    parser.add_argument("--save-outputs", metavar="FILE", help="write the executed notebook to FILE; the original stays as it is")
    parser.add_argument("file", metavar="SCRIPT_OR_NOTEBOOK", help="a .py or .ipynb file")
    rest = parser.add_argument("arguments", metavar="ARGS", nargs=argparse.REMAINDER, help="what the script finds in sys.argv")
    rest.required = False  # argparse would list ARGS among what is missing


def _add_runs(commands: Any) -> None:
    parser = _add(commands, "runs", "List runs, newest first.")
    parser.add_argument("--experiment", metavar="NAME", help="only runs of this experiment")
    parser.add_argument("--status", metavar="STATUS", help="only runs in this status, such as Running, Failed or Finished")
    parser.add_argument("--tag", metavar="NAME[=VALUE]", action="append", default=[], help="only runs with this tag; may be repeated")
    parser.add_argument("--limit", metavar="N", type=_count, default=20, help="how many at most (default: 20)")
    parser.add_argument("--all", action="store_true", help="steps and other child runs too")
    _add_json(parser)


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of runs; give 1 or more")
    return number


def _add_show(commands: Any) -> None:
    parser = _add(commands, "show", "Show a run and its steps as a tree.")
    _add_run_argument(parser)
    _add_json(parser)


def _add_logs(commands: Any) -> None:
    parser = _add(commands, "logs", "Print what the steps of a run wrote.")
    _add_run_argument(parser)
    parser.add_argument("step", metavar="STEP", nargs="?", help="name of one step")
    parser.add_argument("--follow", "-f", action="store_true", help="go on until the run ends")


def _add_cancel(commands: Any) -> None:
    parser = _add(commands, "cancel", "Cancel a run and all processes of its steps.")
    _add_run_argument(parser)
    _add_json(parser)


def _add_explain(commands: Any) -> None:
    parser = _add(commands, "explain", "Tell why steps ran or were reused.")
    _add_run_argument(parser)
    parser.add_argument("step", metavar="STEP", nargs="?", help="name of one step")
    _add_json(parser)


def _add_datasets(commands: Any) -> None:
    parser = _add(commands, "datasets", "List registered datasets by name.")
    _add_workspace(parser)
    _add_json(parser)


def _add_lineage(commands: Any) -> None:
    parser = _add(commands, "lineage", "Tell what a run read and wrote, or which runs wrote and read a dataset.")
    what = "id of a run, the beginning of one, or 'last'; NAME, NAME:VERSION or id of a dataset"
    parser.add_argument("what", metavar="WHAT", help=what)
    _add_workspace(parser)
    parser.add_argument("--limit", metavar="N", type=_count, default=100, help="how many readings and writings at most (default: 100)")
    _add_json(parser)


def _add_models(commands: Any) -> None:
    parser = _add(commands, "models", "List registered models; show, download or delete one.")
    _add_models_filters(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    # What stands before the verb counts as well: of the same options here, only those that are given replace it.
    _add_models_filters(_add(verbs, "list", "List registered models by name.", argument_default=argparse.SUPPRESS))
    show = _add(verbs, "show", "Tell what is known of a model, and its files.", argument_default=argparse.SUPPRESS)
    fetch = _add(verbs, "download", "Fetch the files of a model.", argument_default=argparse.SUPPRESS)
    delete = _add(verbs, "delete", "Forget a version of a model.", argument_default=argparse.SUPPRESS)
    for verb in (show, fetch, delete):
        words = "NAME:VERSION of a model" if verb is delete else "NAME or NAME:VERSION of a model"
        verb.add_argument("model", metavar="MODEL", help=words)
        _add_model_options(verb)
    fetch.add_argument("folder", metavar="FOLDER", nargs="?", default=".", help="the folder that gets them (default: this one)")
    fetch.add_argument("--force", action="store_true", default=False, help="replace files that are there")


def _add_models_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", metavar="NAME", help="only versions of the model with this name")
    parser.add_argument("--tag", metavar="NAME[=VALUE]", action="append", help="only models with this tag; may be repeated")
    parser.add_argument("--all", action="store_true", default=_unless_suppressed(parser), help="all versions, newest first")
    _add_model_options(parser)


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workspace", metavar="NAME", help="only models of the workspace with this name")
    parser.add_argument("--json", action="store_true", default=_unless_suppressed(parser), help="print JSON")


def _add_pipelines(commands: Any) -> None:
    parser = _add(commands, "pipelines", "List published pipelines; show, run, enable or disable one.")
    verbs = _add_published_verbs(parser, "published pipelines")
    for name, text in (
        ("show", "Tell what is known of a published pipeline: its steps, its parameters."),
        ("submit", "Run a published pipeline."),
        ("enable", "Let a published pipeline be run again."),
        ("disable", "Let a published pipeline be run no more."),
        ("history", "List the runs of a published pipeline, newest first."),
    ):
        words = "id of a published pipeline, the beginning of one, or a name: the newest that has it"
        _add_published_verb(verbs, name, text).add_argument("pipeline", metavar="PIPELINE", help=words)


def _add_endpoints(commands: Any) -> None:
    parser = _add(commands, "endpoints", "List pipeline endpoints; show, run or switch one.")
    verbs = _add_published_verbs(parser, "pipeline endpoints")
    words = "name of a pipeline endpoint, its id, or the beginning of that"
    for name, text in (
        ("show", "Tell what is known of a pipeline endpoint, and its versions."),
        ("submit", "Run a version of a pipeline endpoint, the default one when none is named."),
        ("versions", "List the versions of a pipeline endpoint."),
        ("set-default", "Choose the version that runs when none is named."),
        ("enable", "Let a pipeline endpoint be called again."),
        ("disable", "Let a pipeline endpoint be called no more."),
        ("history", "List the runs that were asked of a pipeline endpoint, newest first."),
    ):
        verb = _add_published_verb(verbs, name, text)
        verb.add_argument("endpoint", metavar="ENDPOINT", help=words)
        if name == "set-default":
            verb.add_argument("version", metavar="VERSION", help="number of the version")
        if name == "submit":
            verb.add_argument("--version", metavar="VERSION", default=None, help="run this version")


def _add_schedules(commands: Any) -> None:
    parser = _add(commands, "schedules", "List schedules; show, run, enable or disable one.")
    verbs = _add_published_verbs(parser, "schedules")
    for name, text in (
        ("show", "Tell what a schedule runs, when it is due next, and what became of it last."),
        ("submit", "Run now what a schedule runs."),
        ("enable", "Let a schedule run again."),
        ("disable", "Let a schedule rest."),
        ("history", "List the times that a schedule was due, the last first, each with its run or its reason."),
    ):
        verb = _add(verbs, name, text, argument_default=argparse.SUPPRESS)
        verb.add_argument("schedule", metavar="SCHEDULE", help="id of a schedule, the beginning of one, or a name: the newest that has it")
        _add_published_options(verb, "schedules")
        if name == "history":
            verb.add_argument("--limit", metavar="N", type=_count, default=20, help="how many at most (default: 20)")
        if name == "submit":
            _add_parameter_option(verb)
            _add_wait_option(verb)


def _add_drafts(commands: Any) -> None:
    parser = _add(commands, "drafts", "List drafts of pipelines; show, run, publish or delete one.")
    _add_drafts_filters(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    _add_drafts_filters(_add(verbs, "list", "List drafts, newest first.", argument_default=argparse.SUPPRESS))
    words = "id of a draft, the beginning of one, or a name: the newest that has it"
    for name, text in (
        ("show", "Tell what is known of a draft: its steps, the values of its parameters."),
        ("submit", "Run a draft."),
        ("publish", "Publish a draft: the values that it sets become defaults."),
        ("delete", "Forget a draft; its runs stay."),
        ("history", "List the runs of a draft, newest first."),
    ):
        verb = _add(verbs, name, text, argument_default=argparse.SUPPRESS)
        verb.add_argument("draft", metavar="DRAFT", help=words)
        _add_published_options(verb, "drafts")
        if name == "history":
            verb.add_argument("--limit", metavar="N", type=_count, default=20, help="how many at most (default: 20)")
        if name == "submit":
            _add_parameter_option(verb)
            verb.add_argument("--experiment", metavar="NAME", default=None, help="the experiment of the run (default: the draft's)")
            verb.add_argument("--tag", metavar="NAME=VALUE", action="append", default=[], help="a tag of the run; may be repeated")
            _add_wait_option(verb)


def _add_drafts_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", metavar="NAME", help="only drafts with this name")
    parser.add_argument("--tag", metavar="NAME[=VALUE]", action="append", help="only drafts with this tag; may be repeated")
    _add_published_options(parser, "drafts")


def _add_modules(commands: Any) -> None:
    parser = _add(commands, "modules", "List modules, the steps that pipelines share; show, enable or disable one.")
    verbs = _add_published_verbs(parser, "modules")
    for name, text in (
        ("show", "Tell what is known of a module: its versions, the ports and parameters of one."),
        ("set-default", "Choose the version that is meant when none is named."),
        ("enable", "Let new pipelines use a module again, or a version of it."),
        ("disable", "Let no new pipeline use a module, or a version of it."),
        ("deprecate", "Warn who uses a module, or a version of it."),
        ("history", "List the pipeline runs that have a step of a module, newest first."),
    ):
        verb = _add(verbs, name, text, argument_default=argparse.SUPPRESS)
        verb.add_argument("module", metavar="MODULE", help="name of a module, its id, or the beginning of that")
        _add_published_options(verb, "modules")
        if name == "history":
            verb.add_argument("--limit", metavar="N", type=_count, default=20, help="how many at most (default: 20)")
        elif name == "set-default":
            verb.add_argument("version", metavar="VERSION", help="name of the version")
        else:
            verb.add_argument("--version", metavar="VERSION", default=None, help="this version of it")


def _add_published_verbs(parser: argparse.ArgumentParser, kind: str) -> Any:
    _add_published_filters(parser, kind)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    _add_published_filters(_add(verbs, "list", f"List {kind}, newest first.", argument_default=argparse.SUPPRESS), kind)
    return verbs


def _add_published_filters(parser: argparse.ArgumentParser, kind: str) -> None:
    parser.add_argument("--name", metavar="NAME", help="only what has this name")
    parser.add_argument("--all", action="store_true", default=_unless_suppressed(parser), help="disabled ones too")
    _add_published_options(parser, kind)


def _add_published_options(parser: argparse.ArgumentParser, kind: str) -> None:
    parser.add_argument("--workspace", metavar="NAME", help=f"only {kind} of the workspace with this name")
    parser.add_argument("--json", action="store_true", default=_unless_suppressed(parser), help="print JSON")


def _add_published_verb(verbs: Any, name: str, text: str) -> argparse.ArgumentParser:
    # What stands before the verb counts as well: of the same options here, only those that are given replace it.
    verb = _add(verbs, name, text, argument_default=argparse.SUPPRESS)
    _add_published_options(verb, "those")
    if name == "show":
        words = "print the address that other programs post to as well; the service then stays until it is stopped"
        verb.add_argument("--address", action="store_true", default=False, help=words)
    if name == "history":
        verb.add_argument("--limit", metavar="N", type=_count, default=20, help="how many at most (default: 20)")
    if name == "submit":
        _add_submit_options(verb)
    return verb


def _add_parameter_option(parser: argparse.ArgumentParser) -> None:
    values = "value of a pipeline parameter: a data path is DATASTORE/PATH, a dataset NAME or NAME:VERSION; may be repeated"
    parser.add_argument("-P", "--parameter", metavar="NAME=VALUE", action="append", default=[], help=values)


def _add_wait_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--wait", action="store_true", default=False, help="wait until the run ends; fail where it does not finish")


def _add_submit_options(parser: argparse.ArgumentParser) -> None:
    _add_parameter_option(parser)
    experiment = "the experiment of the run (default: that of its newest run, else its name)"
    parser.add_argument("--experiment", metavar="NAME", default=None, help=experiment)
    parser.add_argument("--tag", metavar="NAME=VALUE", action="append", default=[], help="a tag of the run; may be repeated")
    _add_wait_option(parser)


def _unless_suppressed(parser: argparse.ArgumentParser) -> Any:
    return parser.argument_default or False


def _add_workspace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workspace", metavar="NAME", help="only datasets of the workspace with this name")


def _add_environments(commands: Any) -> None:
    parser = _add(commands, "environments", "Look after the environments that were built for steps.")
    _add_json(parser)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    _add_json(_add(verbs, "list", "List what was built, newest first."))
    show = _add(verbs, "show", "Show what an environment is made of, and what was relaxed.")
    _add_key(show)
    _add_json(show)
    build = _add(verbs, "build", "Build a registered environment now, and print its log.")
    build.add_argument("name", metavar="NAME", help="name of a registered environment")
    build.add_argument("--version", metavar="VERSION", help="its version (default: the newest)")
    build.add_argument("--workspace", metavar="NAME", help="the workspace that has it")
    log = _add(verbs, "log", "Print the log of a build.")
    _add_key(log)
    log.add_argument("--follow", "-f", action="store_true", help="go on until the build ends")
    clean = _add(verbs, "clean", "Remove built environments that nobody used lately; who needs one later has it built again.")
    clean.add_argument("keys", metavar="KEY", nargs="*", help="remove these, however lately they were used")
    clean.add_argument("--days", metavar="N", type=_count, default=30, help="how many days without use are enough (default: 30)")


def _add_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", metavar="KEY", help="key of a built environment, or its beginning")


def _add_service(commands: Any) -> None:
    parser = _add(commands, "service", "Look after the local service; it starts by itself when something needs it.")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    _add_json(_add(verbs, "status", "Tell whether the service runs."))
    _add_json(_add(verbs, "start", "Start the service now."))
    _add_json(_add(verbs, "stop", "Stop the service; running steps go on."))
    _add_json(_add(verbs, "token", "Print the token with which programs call the service over HTTP."))
    logs = _add(verbs, "logs", "Print the service's own log.")
    logs.add_argument("--follow", "-f", action="store_true", help="go on until interrupted")


def _add_version(commands: Any) -> None:
    _add_json(_add(commands, "version", "Print the version."))


def _run(options: argparse.Namespace) -> int:
    from penstock.cli.drivers import run_driver

    saved, arguments = options.save_outputs, options.arguments
    if options.file.endswith(".ipynb"):
        late, arguments = _split_late_options(arguments)
        saved = late or saved
    return run_driver(options.file, arguments, saved)


def _split_late_options(words: list[str]) -> tuple[str | None, list[str]]:
    """Take `--save-outputs FILE` from what follows a notebook: only a script has options of its own there. `--` ends the search."""
    end = words.index("--") if "--" in words else len(words)
    late = Parser(prog="penstock run", add_help=False, allow_abbrev=False)
    late.add_argument("--save-outputs", metavar="FILE")
    found, rest = late.parse_known_args(words[:end])
    return found.save_outputs, [*rest, *words[end:]]


def _runs(options: argparse.Namespace) -> int:
    from penstock.cli.runs import print_runs

    return print_runs(options)


def _show(options: argparse.Namespace) -> int:
    from penstock.cli.show import print_run

    return print_run(options.run, as_json=options.json)


def _logs(options: argparse.Namespace) -> int:
    from penstock.cli.logs import print_logs

    return print_logs(options.run, options.step, follow=options.follow)


def _cancel(options: argparse.Namespace) -> int:
    from penstock.cli.runs import cancel

    return cancel(options.run, as_json=options.json)


def _explain(options: argparse.Namespace) -> int:
    from penstock.cli.explain import print_explanation

    return print_explanation(options.run, options.step, as_json=options.json)


def _datasets(options: argparse.Namespace) -> int:
    from penstock.cli.datasets import print_datasets

    return print_datasets(options.workspace, as_json=options.json)


def _lineage(options: argparse.Namespace) -> int:
    from penstock.cli.lineage import print_lineage

    return print_lineage(options.what, options.workspace, options.limit, as_json=options.json)


def _environments(options: argparse.Namespace) -> int:
    from penstock.cli.environments import do

    return do(options)


def _models(options: argparse.Namespace) -> int:
    from penstock.cli.models import do

    return do(options)


def _pipelines(options: argparse.Namespace) -> int:
    from penstock.cli.pipelines import do

    return do(options)


def _drafts(options: argparse.Namespace) -> int:
    from penstock.cli.drafts import do

    return do(options)


def _modules(options: argparse.Namespace) -> int:
    from penstock.cli.modules import do

    return do(options)


def _endpoints(options: argparse.Namespace) -> int:
    from penstock.cli.pipeline_endpoints import do

    return do(options)


def _schedules(options: argparse.Namespace) -> int:
    from penstock.cli.schedules import do

    return do(options)


def _service(options: argparse.Namespace) -> int:
    from penstock.cli.service import print_log, print_status, print_token, start, stop

    if options.verb == "logs":
        return print_log(follow=options.follow)
    return {"status": print_status, "start": start, "stop": stop, "token": print_token}[options.verb](options.json)


def _version(options: argparse.Namespace) -> int:
    import json
    import platform

    from penstock import __version__

    print(json.dumps({"penstock": __version__, "python": platform.python_version()}) if options.json else f"penstock {__version__}")
    return OK


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "runs": _runs,
    "show": _show,
    "logs": _logs,
    "cancel": _cancel,
    "explain": _explain,
    "datasets": _datasets,
    "lineage": _lineage,
    "models": _models,
    "pipelines": _pipelines,
    "endpoints": _endpoints,
    "drafts": _drafts,
    "modules": _modules,
    "schedules": _schedules,
    "environments": _environments,
    "service": _service,
    "version": _version,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks.

    Returns:
        The exit status: 0 done (help was printed, where no command was given), 1 failed, 2 misspelt, 130 interrupted.
    """
    if sys.platform == "win32":
        print(WINDOWS, file=sys.stderr)
        return FAILED
    options, unknown = build_parser().parse_known_args(arguments)
    if unknown:
        options.speaker.error(f"unrecognized arguments: {' '.join(unknown)}\n{options.speaker.format_usage().rstrip()}")
    if options.command is None or (options.command == "service" and options.verb is None):
        options.speaker.print_help()
        return OK
    try:
        return _do(options)
    except KeyboardInterrupt:
        print(f"\n{INTERRUPTION}", file=sys.stderr)
        return INTERRUPTED


def _do(options: argparse.Namespace) -> int:
    try:
        status = COMMANDS[options.command](options)
        flush_output()
        return status
    except PenstockError as error:
        print(f"penstock: {error.message}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        # The reader (head, less) has gone; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(f"penstock: {error.strerror}; not all was written.", file=sys.stderr)
        return FAILED
