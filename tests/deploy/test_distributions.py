"""What ``make dist`` builds: the client that astronomers install, and the service of operators beside it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.main import get_command

import inclinet
from inclinet.main import OF_THE_SERVICE, app
from tests.support.deployment import ROOT, instructions, load, value

FOLDERS = ("batch", "gateway", "inclinet", "inclinet_service", "serving", "training", "zoo", "service")
FILES = ("pyproject.toml", "README.md", "LICENSE")
UV = str(Path(sys.executable).with_name("uv"))


def uv(*words: str | Path) -> None:
    done = subprocess.run([UV, *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both distributions, built from a copy of what is in the repository, without a network."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for folder in FOLDERS:
        left_out = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
        shutil.copytree(ROOT / folder, source / folder, symlinks=True, ignore=left_out)
    for file in FILES:
        shutil.copy(ROOT / file, source)
    for project in (source, source / "service"):
        uv(
            "build",
            "--quiet",
            "--offline",
            "--no-build-isolation",
            "--python",
            sys.executable,
            "--out-dir",
            out,
            project,
        )
    return out


@pytest.fixture(scope="module")
def site(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client's wheel, installed where nothing else of the project is."""
    folder = tmp_path_factory.mktemp("site")
    (wheel,) = dist.glob("inclinet-*.whl")
    uv("pip", "install", "--quiet", "--offline", "--no-deps", "--python", sys.executable, "--target", folder, wheel)
    return folder


def run(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the site's client alone of the project, and what else the environment has."""
    script = (
        "import sys\n"
        # the environment's own editable installs would stand in for what is not there
        "sys.meta_path = [one for one in sys.meta_path if '__editable__' not in str(one)]\n"
        f"sys.path = [{str(site)!r}] + [one for one in sys.path if one not in ('', {str(ROOT)!r})]\n"
        "from importlib import metadata\n"
        "every = metadata.entry_points\n"
        "metadata.entry_points = lambda **of: [] if of.get('group') == 'inclinet.commands' else every(**of)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", script + words[0], *words[1:]],
        cwd=site,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_plain_install_puts_one_name_into_site_packages(site: Path) -> None:
    found = {one.name for one in site.iterdir()} - {"bin", ".lock"}
    assert found == {"inclinet", f"inclinet-{inclinet.__version__}.dist-info"}
    assert (site / "inclinet" / "py.typed").exists()
    assert not list((site / "inclinet").rglob("*.so"))


def test_what_is_installed_needs_few_packages_and_says_what_it_is(site: Path) -> None:
    metadata = (site / f"inclinet-{inclinet.__version__}.dist-info" / "METADATA").read_text()
    needed = re.findall(r"^Requires-Dist: ([\w\[\]]+)(?!.*extra ==)", metadata, re.MULTILINE)
    assert len(needed) <= 10
    assert {"httpx[socks]", "astropy", "typer", "rich"} <= set(needed)
    assert "Topic :: Scientific/Engineering :: Astronomy" in metadata
    assert "Typing :: Typed" in metadata


def test_the_installed_client_imports_without_what_only_some_questions_need(site: Path) -> None:
    script = (
        "import inclinet\n"
        "from inclinet import Inclinet, AsyncInclinet, Answer, InclinetError, errors\n"
        f"assert inclinet.__file__.startswith({str(site)!r}), inclinet.__file__\n"
        "late = {'astropy', 'numpy', 'httpx', 'rich', 'typer', 'matplotlib', 'PIL', 'pyarrow', 'pydantic'}\n"
        "late |= {'gateway', 'batch', 'serving', 'training', 'inclinet_service'}\n"
        "assert not late & set(sys.modules), late & set(sys.modules)\n"
        "Inclinet('http://127.0.0.1:9').close()\n"
        "assert not (late - {'httpx', 'rich'}) & set(sys.modules)\n"
    )
    done = run(site, script)
    assert done.returncode == 0, done.stderr


def test_the_client_knows_every_command_that_the_service_adds() -> None:
    everything = set(get_command(app).commands)  # type: ignore[attr-defined]  # a group
    assert everything - {"image", "pgc", "name", "at", "table"} == set(OF_THE_SERVICE)


def test_commands_of_the_service_say_how_to_get_it_where_it_is_not_installed(site: Path) -> None:
    for command, extra in OF_THE_SERVICE.items():
        done = run(
            site, f"sys.argv = ['inclinet', {command!r}, '--any', 'thing']\nfrom inclinet.main import main\nmain()"
        )
        assert done.returncode == 2
        assert f"inclinet {command} comes with the service" in done.stderr
        wanted = f"'inclinet-service[{extra}]'" if extra else "inclinet-service"
        assert f"pip install {wanted}." in done.stderr
    done = run(site, "from inclinet import Inclinet\nwith Inclinet.local(): pass")
    assert "The service is not installed here: pip install 'inclinet-service[serving]'" in done.stderr
    shown = run(site, "sys.argv = ['inclinet', '--help']\nfrom inclinet.main import main\nmain()").stdout
    assert "image" in shown
    assert "batch" not in shown


def test_the_service_is_a_distribution_of_its_own_from_the_same_repository(dist: Path) -> None:
    (wheel,) = dist.glob("inclinet_service-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    planes = {"batch", "gateway", "inclinet_service", "serving", "training", "zoo"}
    assert tops == planes | {f"inclinet_service-{inclinet.__version__}.dist-info"}
    assert {"gateway/web/index.html", "zoo/web/measure.html", "zoo/standards/shipped.zip"} <= set(names)
    assert not [name for name in names if name.endswith((".ipynb", "Dockerfile"))]
    (archive,) = dist.glob("inclinet_service-*.tar.gz")
    with tarfile.open(archive) as opened:
        assert not [one.name for one in opened.getmembers() if one.issym() or one.islnk()]


def test_both_installs_of_this_environment_are_of_the_one_version() -> None:
    assert version("inclinet") == version("inclinet-service") == inclinet.__version__
    for project in ("pyproject.toml", "service/pyproject.toml"):
        described = tomllib.loads((ROOT / project).read_text())
        assert described["project"]["dynamic"] == ["version"]
    assert f"version: {inclinet.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_images_are_tagged_and_labelled_by_it() -> None:
    for dockerfile in ("gateway/Dockerfile", "serving/Dockerfile", "batch/Dockerfile"):
        (argument,) = [rest for name, rest in instructions(dockerfile) if name == "ARG" and rest.startswith("VERSION")]
        assert argument == f"VERSION={inclinet.__version__}"
        assert "$VERSION" in value(dockerfile, "LABEL")
    for overlay in ("k8s/overlays/prod", "k8s/batch"):
        tags = {one["newTag"] for one in load(f"{overlay}/kustomization.yaml")["images"]}
        assert tags == {inclinet.__version__}
    for name, service in load("docker-compose.yml")["services"].items():
        if name in {"gateway", "serving", "sky", "demo"}:
            assert service["image"].endswith(f":${{INCLINET_TAG:-{inclinet.__version__}}}")
