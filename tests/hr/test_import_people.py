import pytest
from django.core.management import CommandError, call_command

from portal.ledger.models import Entry
from portal.people.models import Employee

HEADER = "employee_no,userid,name_zh,name_en,unit,email"
ROWS = ["E001,zhangwei,张伟,Zhang Wei,Sales,zhang.wei@example.com", "E006,0000318,马强,Ma Qiang,Wealth,ma@example.com"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def hr_file(tmp_path):
    def write(*lines: str, header: str = HEADER):
        path = tmp_path / "people.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8-sig")
        return path

    return write


def test_without_write_nothing_is_changed(hr_file, capsys):
    call_command("import_people", hr_file(*ROWS))
    assert "2 added, 0 changed, 0 came back, 0 left, 0 unchanged, 0 refused (nothing written" in capsys.readouterr().out
    assert not Employee.objects.exists()


def test_people_are_added_with_department_and_userid_as_text(hr_file):
    call_command("import_people", hr_file(*ROWS), "--write")
    person = Employee.objects.get(employee_no="E006")
    assert (person.name, person.wecom_userid, person.department.name) == ("Ma Qiang 马强", "0000318", "Wealth")
    assert not person.has_usable_password()
    assert Entry.objects.filter(verb="people.added", subject=person.uid).exists()


def test_a_second_time_changes_nothing(hr_file, capsys):
    call_command("import_people", hr_file(*ROWS), "--write")
    entries = Entry.objects.count()
    call_command("import_people", hr_file(*ROWS), "--write")
    assert "0 added, 0 changed, 0 came back, 0 left, 2 unchanged" in capsys.readouterr().out
    assert Entry.objects.count() == entries


def test_a_change_is_told_before_and_after(hr_file, capsys):
    call_command("import_people", hr_file(*ROWS), "--write")
    call_command("import_people", hr_file(ROWS[0].replace("Sales", "Trading")), "--write")
    assert "0 added, 1 changed" in capsys.readouterr().out
    assert Employee.objects.get(employee_no="E001").department.name == "Trading"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",x,张,Zhang,Sales,a@example.com", "number or the name"),
        ("E009,x,张,Zhang,Sales,not an address", "e-mail"),
        ("E001,x,张,Zhang,Sales,other@example.com", "stands on line 2"),
        ("E009,x,张,Zhang,Sales,ZHANG.WEI@example.com", "Somebody else has this e-mail"),
        ("E009,ZhangWei,张,Zhang,Sales,other@example.com", "Somebody else has this WeCom userid"),
    ],
)
def test_a_bad_line_is_named_and_the_rest_comes_in(hr_file, capsys, line, reason):
    with pytest.raises(CommandError, match="1 of 2 lines"):
        call_command("import_people", hr_file(ROWS[0], line), "--write")
    complaint = capsys.readouterr().err
    assert ":3: " in complaint
    assert reason in complaint
    assert Employee.objects.filter(employee_no="E001").exists()


def test_a_file_that_is_no_list_of_people_is_refused(hr_file):
    with pytest.raises(CommandError, match="no column email"):
        call_command("import_people", hr_file("x,y", header="employee_no,name_en"))


def test_managers_are_set_and_a_circle_is_refused(hr_file, capsys):
    header = "employee_no,name_en,email,manager_no"
    lines = ["A,Ann,a@example.com,B", "B,Bob,b@example.com,", "C,Cy,c@example.com,A"]
    call_command("import_people", hr_file(*lines, header=header), "--write")
    assert Employee.objects.get(employee_no="A").manager.employee_no == "B"
    lines[1] += "C"
    with pytest.raises(CommandError, match="3 of 3 lines"):
        call_command("import_people", hr_file(*lines, header=header), "--write")
    assert "circle" in capsys.readouterr().err
    assert Employee.objects.get(employee_no="B").manager is None


def test_other_headings_are_told_on_the_command_line(hr_file):
    header = "Badge,Name,Email Address,部门"
    call_command(
        "import_people", hr_file("7,Ann,a@example.com,Sales", header=header), "--write", "--column", "employee_no=Badge"
    )
    assert Employee.objects.get(employee_no="7").department.name == "Sales"


def test_a_half_of_the_list_does_not_make_the_other_half_leave(hr_file, capsys):
    people = [f"E{n:03},,,Name {n},Sales,e{n}@example.com" for n in range(20)]
    call_command("import_people", hr_file(*people), "--write")
    with pytest.raises(CommandError, match="10 of 20 people would leave"):
        call_command("import_people", hr_file(*people[:10]), "--write", "--complete")
    assert not Employee.objects.exclude(left_on=None).exists()
    call_command("import_people", hr_file(*people[:10]), "--write", "--complete", "--most-leavers", "50")
    assert Employee.objects.exclude(left_on=None).count() == 10
