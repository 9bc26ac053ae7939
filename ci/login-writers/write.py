"""Has other programs write logins into the home folder, each in its own way. The values mean nothing."""

import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

from dotenv import set_key
from huggingface_hub._login import _set_active_token
from huggingface_hub.utils._auth import _save_token
from kagglesdk.kaggle_creds import KaggleCredentials

SECRET = sys.argv[1]
PAST = datetime(2020, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def run(program, *words, typed=""):
    program = Path(sys.executable).parent / program
    subprocess.run([program, *words], input=typed, check=True, capture_output=True, text=True)


def aws(profile, **settings):
    for name, value in settings.items():
        name = name.replace("__", ".")
        run("aws", "configure", "set", name, value, *(["--profile", profile] if profile else []))


run("aws", "configure", typed=f"AKIAABCDEFGHIJKLMNOP\n{SECRET}\neu-west-1\njson\n")
aws("my lab", aws_access_key_id="lab-user", aws_secret_access_key=f"{SECRET}#x", s3__addressing_style="path")
aws("my lab", endpoint_url="http://s3.example:9000")
aws("short", aws_access_key_id="ASIAABCDEFGHIJKLMNOP", aws_secret_access_key=SECRET, aws_session_token=f"{SECRET}==")

_save_token(f"hf_{SECRET}", "work token")
_save_token(f"hf_oauth_{SECRET}", "me", refresh_token=f"r{SECRET}", expires_at=int(PAST.timestamp()))
_set_active_token("me", add_to_git_credential=False)

run("wandb", "login", "--no-verify", SECRET)
run("wandb", "login", "--no-verify", "--host", "http://wandb.example:8080", f"local-{SECRET}")

KaggleCredentials(
    client=None, refresh_token=SECRET, access_token=SECRET, access_token_expiration=PAST, username="me", scopes=["all"]
).save()

set_key(".env", "TOKEN", f"it is {SECRET} # $HOME")
