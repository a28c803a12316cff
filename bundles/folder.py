"""A bundle in a folder of this machine, as the command line imports it."""

from pathlib import Path

from bundles.archive import ArchiveRefused, Limits, check_files
from bundles.filenames import LIMITS, is_litter

NEVER = frozenset({".git", "node_modules"})


def read_folder(folder: Path, limits: Limits = LIMITS) -> dict[str, bytes]:
    """Every ordinary file below; links are refused, as they are in a ZIP."""
    files: dict[str, bytes] = {}
    total = 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if is_litter(name) or not NEVER.isdisjoint(path.relative_to(folder).parts):
            continue
        if path.is_symlink():
            raise ArchiveRefused("symbolic links are not accepted", name)
        if path.is_file():
            total += path.stat().st_size
            if total > limits.total:
                raise ArchiveRefused(f"all files together are larger than {limits.total} bytes", name)
            files[name] = path.read_bytes()
    check_files(files, limits)
    return files
