"""What storage makes of DynamoDB's refusals."""

from __future__ import annotations

from datetime import timedelta

import botocore.auth
import pytest

from chat.errors import ChatError
from chat.services.dynamodb import Storage


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_off_is_a_passing_trouble(config, monkeypatch, hours):
    storage = Storage.connect(config)
    storage.get_user("alice")
    true_time = botocore.auth.get_current_datetime
    monkeypatch.setattr(
        botocore.auth, "get_current_datetime", lambda **kwargs: true_time(**kwargs) + timedelta(hours=hours)
    )
    with pytest.raises(ChatError) as refused:
        storage.get_user("alice")
    assert (refused.value.code, refused.value.retry_after_s) == ("unavailable", 1)
    monkeypatch.undo()
    assert storage.get_user("alice") is None
