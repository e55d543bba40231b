from __future__ import annotations

import asyncio
import threading

from penstock.service.bulletin import EVERYTHING, Bulletin


async def wait(bulletin: Bulletin, root: str, seconds: float) -> bool:
    with bulletin.listen(root) as listener:
        return await listener.wait(seconds)


def test_listener_hears_of_its_root_only() -> None:
    async def scene() -> tuple[bool, bool]:
        bulletin = Bulletin()
        mine, other = asyncio.create_task(wait(bulletin, "mine", 60)), asyncio.create_task(wait(bulletin, "other", 0.1))
        await asyncio.sleep(0)
        threading.Thread(target=bulletin.announce, args=({"mine"}, set())).start()
        return await mine, await other

    assert asyncio.run(scene()) == (True, False)


def test_news_between_look_and_wait_are_not_missed() -> None:
    async def scene() -> list[bool]:
        bulletin = Bulletin()
        with bulletin.listen("root") as listener:
            bulletin.announce({"root"}, set())
            return [await listener.wait(60), await listener.wait(0.01)]

    assert asyncio.run(scene()) == [True, False]


def test_close_lets_everybody_go() -> None:
    async def scene() -> list[bool]:
        bulletin = Bulletin()
        with bulletin.listen("root") as listener:
            bulletin.close()
            return [await listener.wait(60), listener.is_dismissed, await listener.wait(60)]

    assert asyncio.run(scene()) == [True, True, True]


def test_nobody_listens() -> None:
    bulletin = Bulletin()
    bulletin.announce({"root"}, set())

    async def listen() -> bool:
        return await wait(bulletin, "root", 0.01)

    assert asyncio.run(listen()) is False
    bulletin.announce({"root"}, set())  # the loop is gone
    bulletin.close()


def test_who_comes_after_the_close_is_let_go() -> None:
    bulletin = Bulletin()
    bulletin.close()
    assert asyncio.run(wait(bulletin, "root", 60))


def test_who_listens_to_everything_hears_of_every_root() -> None:
    async def scene() -> list[bool]:
        bulletin = Bulletin()
        with bulletin.listen(EVERYTHING) as listener:
            heard = [await listener.wait(0.01)]
            for root in ("one", "other"):
                bulletin.announce({root}, {root})
                heard.append(await listener.wait(60))
            return heard

    assert asyncio.run(scene()) == [False, True, True]


def test_the_end_of_a_run_does_not_wait_for_more_news() -> None:
    async def scene() -> list[bool]:
        bulletin = Bulletin()
        with bulletin.listen("root") as listener:
            end = asyncio.create_task(listener.wait_for_end("root", 3600))
            ended = []
            for run in ("another", "root"):
                bulletin.announce({"root"}, {run})
                await asyncio.wait([end], timeout=60 if run == "root" else 0.1)
                ended.append(end.done())
            return ended

    assert asyncio.run(scene()) == [False, True]


def test_no_wait_for_an_end_is_longer_than_was_said() -> None:
    async def scene() -> None:
        with Bulletin().listen("root") as listener:
            await asyncio.wait_for(listener.wait_for_end("root", 0.01), 60)

    asyncio.run(scene())
