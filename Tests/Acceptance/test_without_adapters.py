"""The program without adapters, where it was built: make build ADAPTERS=none."""

import os
import pathlib
import subprocess

import pytest

BARE = pathlib.Path(os.environ.get("VIGIL_BARE_BINARY", pathlib.Path(__file__).parents[2] / ".build-none/release/vigil"))
# libc and what belongs to it, SQLite, zstd, RE2 with the runtime of its language, zlib for gzip.
ALLOWED = {"linux-vdso", "ld-linux-x86-64", "ld-linux-aarch64", "libc", "libm", "libdl", "libpthread", "librt",
           "libsqlite3", "libzstd", "libre2", "libstdc++", "libgcc_s", "libz"}

pytestmark = pytest.mark.skipif(not BARE.exists(), reason="not built: make build ADAPTERS=none")


def test_it_needs_nothing_but_what_every_system_has():
    said = subprocess.run(["ldd", BARE], check=True, capture_output=True, text=True).stdout
    needed = {line.split()[0].split("/")[-1].split(".so")[0] for line in said.splitlines()}
    assert needed <= ALLOWED, needed - ALLOWED


def test_choosing_postgresql_stops_the_start_with_a_reason(tmp_path):
    done = subprocess.run([BARE, "serve", "--data", str(tmp_path / "data"), "--port", "0"], capture_output=True, text=True,
                          timeout=30, env={**os.environ, "DATABASE_ENGINE": "postgresql", "POSTGRES_HOST": "127.0.0.1"})
    assert done.returncode != 0
    assert "stores.relational" in done.stderr and "built without that adapter" in done.stderr, done.stderr
