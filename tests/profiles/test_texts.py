"""Texts and saved models: windows, formats, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import torch

from infoflow.cli.main import main
from infoflow.core.errors import InvalidArgument
from infoflow.profiles.pretrained import checkpoints, load
from infoflow.profiles.texts import documents, windows


def test_windows_hold_every_token_once() -> None:
    batches = windows(["a" * 10, "b" * 7, "c"], lambda text: [ord(letter) for letter in text], length=4, batch_size=2)
    kept = torch.cat([batch["input_ids"][batch["attention_mask"].bool()] for batch in batches])
    assert kept.bincount()[[97, 98]].tolist() == [10, 7]  # the window of one token is left out
    with pytest.raises(InvalidArgument, match="two tokens"):
        windows(["a"], lambda text: [1])


def test_formats(tmp_path: Path) -> None:
    lines = tmp_path / "a.jsonl"
    lines.write_text(json.dumps({"text": "one"}) + "\n" + json.dumps({"text": "two"}) + "\n", encoding="utf-8")
    assert documents(lines) == ["one", "two"]
    lines.write_text('{"text": 3}', encoding="utf-8")
    with pytest.raises(InvalidArgument, match=r"line 1 of .* must be an object with a text"):
        documents(lines)
    lines.write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(InvalidArgument, match="no JSON"):
        documents(lines)
    lines.write_text(json.dumps({"text": "one\u2028two\x85"}, ensure_ascii=False) + "\r\n \r\n", encoding="utf-8")
    assert documents(lines) == ["one\u2028two"]
    lines.write_text('{"text": "\\ud800"}', encoding="utf-8")
    with pytest.raises(InvalidArgument, match="half of a surrogate pair"):
        documents(lines)
    for content, message in ((b"", "no text"), (b"\xff\xfe\x00", "UTF-8"), (b"a\x00b", "zero bytes")):
        (tmp_path / "a.txt").write_bytes(content)
        with pytest.raises(InvalidArgument, match=message):
            documents(tmp_path / "a.txt")


def saved(folder: Path) -> Path:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    words = {"[UNK]": 0, **{letter: k + 1 for k, letter in enumerate("abcdefgh")}}
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=9, n_embd=32, n_layer=2, n_head=2, n_positions=64, bos_token_id=0, eos_token_id=0
    )
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="[UNK]").save_pretrained(folder)
    return folder


def test_the_command_writes_page_table_and_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = saved(tmp_path / "model")
    text = letters(tmp_path)
    command = ["profile", str(model), "--text", str(text), "--length", "32", "--output", str(tmp_path / "out")]
    assert main(command) == 0
    assert "I(current;W)" in capsys.readouterr().out
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    assert "h.1" in (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert (tmp_path / "out.html").stat().st_size < 500_000
    assert main(command) == 2  # nothing is overwritten
    assert "are new" in capsys.readouterr().err


def letters(folder: Path) -> Path:
    generator = torch.Generator().manual_seed(0)
    drawn = ["abcdefgh"[k] for k in torch.randint(8, (600,), generator=generator).tolist()]
    text = folder / "text.txt"
    text.write_text("\n\n".join(" ".join(drawn[k : k + 50]) for k in range(0, 600, 50)), encoding="utf-8")
    return text


def test_checkpoints_are_one_table_by_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    run = saved(tmp_path / "run")
    (run / "model.safetensors").unlink()
    (run / "config.json").unlink()
    torch.manual_seed(1)
    for step in (0, 10, 200):
        config = transformers.GPT2Config(
            vocab_size=9, n_embd=32, n_layer=2, n_head=2, n_positions=64, bos_token_id=0, eos_token_id=0
        )
        transformers.GPT2LMHeadModel(config).save_pretrained(run / f"checkpoint-{step}")
    text, out = letters(tmp_path), tmp_path / "out"
    command = ["profile", str(run), "--text", str(text), "--length", "32", "--output", str(out), "--steps", "0", "200"]
    assert main([*command, "--quantities", "soft-entropy", "logit-lens"]) == 0
    assert "I(current;W) by layer and step" in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "out.csv")
    assert sorted(set(table["step"])) == [0, 200]
    assert {"I(next;W)", "logit lens of next"} <= set(table["quantity"])
    assert "effective rank" not in set(table["quantity"])
    ceilings = table[table["quantity"] == "I(current;W)"].groupby("step")["n"].first()
    assert ceilings.nunique() == 1  # the same tokens at each step
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])["steps"] == [0, 200]  # type: ignore[index]
    assert main([*command[:-3], "--steps", "7", "--output", str(tmp_path / "b")]) == 2
    assert "steps must be those of checkpoints" in capsys.readouterr().err
    assert list(checkpoints(run)) == [0, 10, 200]


def test_what_is_no_saved_model_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    with pytest.raises(InvalidArgument, match=r"config\.json"):
        load(tmp_path)
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InvalidArgument, match="safetensors, got no weights"):
        load(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x02.")
    with pytest.raises(InvalidArgument, match="can run code"):
        load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(InvalidArgument, match="cannot be loaded"):
        load(tmp_path)
