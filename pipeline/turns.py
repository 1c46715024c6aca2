"""Give every job a turn so that the lowest is next: owners in turn, each owner's jobs in order.

Start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996) with jobs of one weight: a job's turn is one
after its owner's last one, but never before the turn that is being served.  So a thousand jobs of one
owner spread over a thousand turns, and another owner's first job joins the turn that is being served.
"""

from pymongo import WriteConcern

from chassis.crashpoint import crashpoints
from pipeline.mongodb import Client, Duplicate, translated

CLOCK = ""
"""The id of the document that holds the turn being served; no owner has it."""


def turn_after(clock: int, served: int | None, waiting: int | None) -> int:
    """Return the turn of an owner's next job: after his last that was served, and his last that waits."""
    return max([clock, *(turn + 1 for turn in (served, waiting) if turn is not None)])


class Turns:
    """The collection `jobs.turns`: the last turn that was served of each owner, and of all.

    Every method raises `StoreUnavailable` when MongoDB is away.
    What a crash keeps from being noted here gives an owner one turn more, once; so nothing waits for a
    majority or the journal.
    """

    def __init__(self, client: Client) -> None:
        self._turns = client["jobs"].get_collection("turns", write_concern=WriteConcern(w=1))

    def after(self, owner: str, waiting: int | None) -> int:
        """Return the turn of an owner's next job; `waiting` is the last of those that wait.

        Of jobs that are queued in the same moment several may get one turn.
        """
        with translated():
            documents = self._turns.find({"_id": {"$in": [owner, CLOCK]}})
            found = {document["_id"]: document["served"] for document in documents}
        return turn_after(int(found.get(CLOCK, 0)), found.get(owner), waiting)

    @crashpoints
    def serve(self, owner: str, turn: int) -> None:
        """Note that a job was claimed: nobody joins an earlier turn, and its owner not even this one."""
        for name in (owner, CLOCK):
            self._raise(name, turn)

    def _raise(self, name: str, turn: int) -> None:
        try:
            with translated():
                self._turns.update_one({"_id": name}, {"$max": {"served": turn}}, upsert=True)
        except Duplicate:  # another process made the document at the same moment
            self._raise(name, turn)
