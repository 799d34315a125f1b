"""Settings, tab Wellness: what is chosen holds; a role sees what it may set."""

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import ButtonGroup

from core.access import Person, Role
from core.errors import StoreUnavailable
from dashboard.data.wellness import Blur, Speed, Wellness
from dashboard.wellness_form import changes
from tests.fixtures.console import Console, play, shown
from tests.fixtures.stores import make_alert

LEAD = Person("le", "Lê", Role.LEAD)
LOOSE = Wellness(blur=Blur.LIGHT, muted=False, autoplay=True, warn=())


def _tab() -> None:
    from dashboard.viewer import viewer  # noqa: PLC0415 - run as a script of its own
    from dashboard.wellness_form import tab  # noqa: PLC0415 - as above

    tab(viewer())


def opened(console: Console) -> AppTest:
    return console.redraw(AppTest.from_function(_tab, default_timeout=30))


def test_what_is_chosen_for_oneself_holds_for_the_player(console: Console) -> None:
    console.desk.set_default(LEAD, LOOSE)
    console.desk.policy = ("hate", "spam", "violence")
    console.publish(make_alert("v:1", label="hate"))
    page = opened(console)

    page.toggle(key="mine-muted").set_value(True)
    page.multiselect(key="mine-warn").set_value(["hate"])
    page.button(key="wellness-save-mine").click().run()

    assert "Kept." in shown(page)
    watched = console.open(video="v:1")
    watched.button(key="play").click().run()
    assert "This video may show: hate" in shown(watched)
    watched.button(key="play").click().run()
    assert watched.get("video")[0].proto.muted


def test_every_label_of_the_policy_can_be_warned_of_without_a_video_that_has_it(console: Console) -> None:
    console.desk.policy = ("hate", "violence")

    page = opened(console)

    assert page.multiselect(key="mine-warn").options == ["hate"]
    assert "Everybody is warned before videos with: violence" in shown(page)
    assert page.multiselect(key="all-warn").options == ["hate", "violence"]


def test_nothing_looser_than_everybodys_setting_is_offered(console: Console) -> None:
    page = opened(console)

    assert "never looser" in shown(page)
    assert [page.toggle(key=f"mine-{name}").disabled for name in ("stills", "muted", "autoplay")] == [False, True, True]
    blurs = {found.key: found for found in page.button_group}
    assert blurs["mine-blur"].options == ["Strong"]
    assert len(blurs["all-blur"].options) == len(Blur)


def test_a_stricter_default_holds_for_who_chose_before_it(console: Console) -> None:
    console.desk.set_default(LEAD, LOOSE)
    page = opened(console)
    page.toggle(key="mine-stills").set_value(False)
    page.button(key="wellness-save-mine").click().run()

    console.desk.set_default(LEAD, Wellness())
    console.redraw(page)

    assert page.toggle(key="mine-muted").value
    assert not page.toggle(key="mine-stills").value


def test_back_to_the_default_follows_it_again(console: Console) -> None:
    page = opened(console)
    page.toggle(key="mine-stills").set_value(False)
    page.button(key="wellness-save-mine").click().run()
    assert not page.toggle(key="mine-stills").value

    page.button(key="wellness-reset").click().run()

    assert page.toggle(key="mine-stills").value


def test_only_what_is_stricter_is_kept_as_ones_own() -> None:
    chosen = Wellness(blur=Blur.LIGHT, stills=False, muted=False, warn=("hate", "violence"))

    assert changes(Wellness(blur=Blur.MEDIUM), chosen) == {"stills": False, "warn": ("hate",)}
    assert changes(LOOSE, LOOSE) == {}
    assert changes(Wellness(greyscale=True), Wellness(greyscale=False)) == {}


def test_the_speed_is_ones_own_in_both_directions() -> None:
    assert changes(Wellness(speed=Speed.DOUBLE), Wellness(speed=Speed.NORMAL)) == {"speed": Speed.NORMAL}
    assert changes(Wellness(), Wellness(speed=Speed.FASTER)) == {"speed": Speed.FASTER}


def test_a_player_is_without_colour_and_as_fast_as_chosen_and_can_be_slowed(console: Console) -> None:
    console.desk.set_default(LEAD, Wellness(warn=(), greyscale=True, speed=Speed.DOUBLE))
    console.publish(make_alert("v:1"))
    page = play(console.open(video="v:1"))
    assert "&amp;grey=1" in shown(page)
    assert of_player(page).value == Speed.DOUBLE

    of_player(page).set_value(Speed.NORMAL).run()
    page.button(key="unblur").click().run()
    assert of_player(page).value == Speed.NORMAL

    page.button(key="go-close").click().run()
    page.button(key="open-v:1").click().run()
    assert of_player(play(page)).value == Speed.DOUBLE


def of_player(page: AppTest) -> ButtonGroup[Speed]:
    (found,) = (group for group in page.button_group if group.key == "speed")
    return found


def test_without_stills_neither_list_nor_pane_has_one(console: Console) -> None:
    console.publish(make_alert("v:1"))
    assert 'class="cw-picture"' in shown(console.open(video="v:1"))

    console.desk.set_default(LEAD, Wellness(stills=False))
    page = console.open(video="v:1")

    assert 'class="cw-picture"' not in shown(page)


def test_a_warning_comes_before_the_player_and_can_be_heeded(console: Console) -> None:
    console.publish(make_alert("v:1"))
    page = console.open(video="v:1")

    page.button(key="play").click().run()
    assert "This video may show: violence" in shown(page)
    page.button(key="rather-not").click().run()

    assert "may show" not in shown(page)
    assert not page.get("video")
    assert play(page).get("video")


def test_an_outage_is_no_empty_form(console: Console) -> None:
    def down(_: Person) -> Wellness:
        raise StoreUnavailable("down")

    console.desk.of = down  # type: ignore[method-assign]

    assert "Nothing here can be read or changed meanwhile" in shown(opened(console))
