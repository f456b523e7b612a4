"""Whether the demo firm shows every state that the portal knows: what a visitor could not find in it, by name."""

from archive.models import Finding, FindingStep, SampleItem, SelfReport
from portal.standing import people_table, rules
from portal.standing.models import RemedyTask, Standing

# What only a firm has whose database or log was tampered with, and a demonstration is not.
CANNOT_BE = {"finding kind integrity"}
MATRIX = [(row, column) for row in rules.ROWS for column in ("clean", "attention", "breach")]  # 3 by 3


def missing() -> list[str]:
    """Return the names of states that occur nowhere in the firm, in order."""
    staff = Standing.objects.filter(is_on_staff=True)
    shown = {f"training {one}" for one in staff.values_list("training_state", flat=True).distinct()}
    shown |= {f"archive {one}" for one in staff.values_list("archive_state", flat=True).distinct()}
    shown |= {f"may message {one}" for one in staff.values_list("may_message", flat=True).distinct()}
    shown |= {
        f"cell {row} by {column}"
        for training, column in staff.values_list("training_state", "archive_state").distinct()
        for row in rules.ROWS
        if training in people_table.TRAINING[row]
    }
    shown |= {f"finding kind {one}" for one in Finding.objects.values_list("kind", flat=True).distinct()}
    shown |= {f"finding state {one}" for one in Finding.objects.values_list("state", flat=True).distinct()}
    shown |= {f"step {one}" for one in FindingStep.objects.values_list("what", flat=True).distinct()}
    shown |= {f"sample {one}" for one in SampleItem.objects.values_list("result", flat=True).distinct()}
    shown |= {f"report {one}" for one in SelfReport.objects.values_list("where", flat=True).distinct()}
    tasks = RemedyTask.objects
    shown |= {"lesson done"} if tasks.filter(done_at__isnull=False).exists() else set()
    shown |= {"lesson open"} if tasks.open().exists() else set()
    shown |= {"lesson withdrawn"} if tasks.filter(withdrawn_at__isnull=False).exists() else set()
    return sorted(_wanted() - shown - CANNOT_BE)


def _wanted() -> set[str]:
    return {
        *(f"training {one}" for one in rules.TrainingState.values),
        *(f"archive {one}" for one in rules.ArchiveState.values),
        "may message True", "may message False",
        *(f"cell {row} by {column}" for row, column in MATRIX),
        *(f"finding kind {one}" for one in Finding.Kind.values),
        *(f"finding state {one}" for one in Finding.State.values),
        *(f"step {one}" for one in FindingStep.What.values),
        "sample ", "sample fine", "sample concern", "report wechat",
        "lesson done", "lesson open", "lesson withdrawn",
    }  # fmt: skip
