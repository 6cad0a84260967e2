"""`infoflow completion`: a script by which the shell completes commands and their options."""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import tyro

from infoflow.cli.options import parse_options

_BASH = """_infoflow() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" found=""
  if [ "$COMP_CWORD" -eq 1 ]; then found={commands}
  else case "${{COMP_WORDS[1]}}" in
{cases}
  esac; fi
  COMPREPLY=($(compgen -W "$found" -- "$word"))
}}
complete -o default -F _infoflow infoflow
"""
_ZSH = "autoload -U +X compinit bashcompinit\ncompinit\nbashcompinit\n"


@dataclass(frozen=True)
class Options:
    """Print a script that completes the commands of infoflow and their options with the Tab key.

    examples:
      infoflow completion bash >> ~/.bashrc
      infoflow completion zsh >> ~/.zshrc
      infoflow completion fish > ~/.config/fish/completions/infoflow.fish"""

    shell: tyro.conf.Positional[Literal["bash", "zsh", "fish"]]
    """shell to write the script for"""


def command(argv: list[str]) -> None:
    """Run `infoflow completion` with these arguments."""
    shell = parse_options(Options, argv, prog="infoflow completion").shell
    print(script(shell, {name: options_of(name) for name in _commands()}), end="")


def script(shell: str, options: dict[str, list[str]]) -> str:
    """The completion script, from the options of every command."""
    names = [*options, "help"]
    if shell == "fish":
        lines = [f"complete -c infoflow -n __fish_use_subcommand -a {shlex.quote(' '.join(names))} -f"]
        for name, known in options.items():
            lines += [f"complete -c infoflow -n '__fish_seen_subcommand_from {name}' -l {each[2:]}" for each in known]
        return "\n".join(lines) + "\n"
    cases = [f"    {name}) found={shlex.quote(' '.join(known))} ;;" for name, known in options.items()]
    cases.append(f"    help) found={shlex.quote(' '.join(options))} ;;")
    text = _BASH.format(commands=shlex.quote(" ".join([*names, "--version", "--help"])), cases="\n".join(cases))
    return (_ZSH if shell == "zsh" else "") + text


def options_of(name: str) -> list[str]:
    """The long options of a command, from its help."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        _commands()[name](["--help"])
    return sorted(set(re.findall(r"(?<![\w-])--[a-z][\w-]*", printed.getvalue())) - {"--help"})


def _commands() -> dict[str, Callable[[list[str]], None]]:
    # Imported by name, as the table of commands names this module.
    main = importlib.import_module("infoflow.cli.main")
    return {name: main.loaded(each) for name, each in main.commands().items()}
