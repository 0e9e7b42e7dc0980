"""What can keep `make run` from starting or going on; each is one plain sentence for a person."""


class StartError(Exception):
    """Something must be put right before Parley can start: exit code 2."""


class RunError(Exception):
    """Something failed while starting or running that no setting explains: exit code 1."""
