"""A database that is away, hangs, or refuses the password: one clear error, and no password in it.

The tests are about processes with a FiftyOne and a mongod of their own.
"""

import json
import subprocess
import sys

import pytest

from demo.sandbox import ROOT

PASSWORD = "s3cret-pw"

SETUP = f"""
import json, os, sys
from pathlib import Path
import subprocess
import psutil, pymongo
from demo.sandbox import enter_sandbox

enter_sandbox(Path(sys.argv[1]))
plain = os.environ["FIFTYONE_DATABASE_URI"]
everything = pymongo.MongoClient(plain)
everything.admin.command("createUser", "user", pwd="{PASSWORD}", roles=["root"])
secret = plain.replace("//", "//user:{PASSWORD}@") + "/?authSource=admin"
(mongod,) = psutil.Process().children()
command = mongod.cmdline()

def message_of(call, *args):
    try:
        call(*args)
    except ConnectionError as error:
        return str(error)

def end(told):
    print(json.dumps(told), flush=True)
    mongod.kill()
    os._exit(0)  # FiftyOne's own clean-up would wait for the database
"""

TROUBLE = """
os.environ["FIFTYONE_DATABASE_URI"] = secret
import fiftyone as fo
import tfdp
from tests.views.datasets import detection, rectangle, sample
from tfdp.views import database
from tfdp.views.database import check_database, database_errors

database.SECONDS, database.BUSY_SECONDS = 2, 4  # or the test takes a quarter of a minute
dataset = fo.Dataset("drawn")
dataset.add_samples([sample(str(i), [detection("cat", rectangle(3, 7))]) for i in range(9)])
tfdp.compute_shape_scores(dataset, "gt")
tfdp.export_coco(tfdp.prune_view(dataset, 0.5), Path(sys.argv[1]) / "out.json")
databases = ["fiftyone", os.environ["FIFTYONE_DATABASE_NAME"]]
collections = [everything[d][c] for d in databases for c in everything[d].list_collection_names()]
told = {"stored": "".join(str(doc) for c in collections for doc in c.find())}

check_database()
mongod.suspend()
told["hangs"] = message_of(check_database, "nothing was written")
mongod.resume()
check_database()

@database_errors("nothing was written")
def read_until_killed():
    for _ in dataset._sample_collection.find(batch_size=2):
        mongod.kill()

told["is killed on the way"] = message_of(read_until_killed)
mongod.wait()
told["is away"] = message_of(check_database, "nothing was written")
mongod = psutil.Popen(command, stdout=subprocess.DEVNULL)
check_database()
end(told)
"""

WRONG_PASSWORD = """
os.environ["FIFTYONE_DATABASE_URI"] = secret.replace("s3cret", "wrong")
import fiftyone as fo
from tfdp.views.database import database_errors
end(message_of(database_errors()(fo.list_datasets)))
"""


def outcome_of(script, folder):
    done = subprocess.run(
        [sys.executable, "-c", SETUP + script, folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert "-pw" not in done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture(scope="module")
def told(folder):
    """What was said, and stored, by a process whose database hangs, is killed, and comes back."""
    return outcome_of(TROUBLE, folder)


@pytest.mark.parametrize("case", ["hangs", "is killed on the way", "is away"])
def test_a_database_that_is_no_more_is_named(told, case):
    assert told[case].startswith("the database at 127.0.0.1:")
    assert "does not answer; start it again" in told[case]
    assert told[case].endswith("; nothing was written")


def test_the_password_is_stored_nowhere(told, folder):
    assert "cb_scs" in told["stored"]
    assert PASSWORD not in told["stored"]
    files = (p for p in folder.rglob("*") if p.is_file() and "database" not in p.parts)
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]


def test_a_wrong_password_is_said_and_not_shown(tmp_path):
    assert "refuses the user or the password" in outcome_of(WRONG_PASSWORD, tmp_path)
