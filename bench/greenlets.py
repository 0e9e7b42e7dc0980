"""What gunicorn serves to bench/connects.py: the chat, which also says how many greenlets it has."""

from gevent import monkey

monkey.patch_all()  # before anything imports ssl, sockets or boto3

import gc  # noqa: E402

from greenlet import greenlet  # noqa: E402

from chat import create_app  # noqa: E402

app = create_app()


@app.get("/greenlets")
def greenlets() -> dict[str, int]:
    """`{greenlets}`: those that have begun and not ended, once what is garbage is gone."""
    gc.collect()
    return {"greenlets": sum(isinstance(each, greenlet) and bool(each) for each in gc.get_objects())}
