from __future__ import annotations

import asyncio
import threading

from penstock.service.bulletin import Bulletin


def test_listener_hears_of_its_root_only() -> None:
    async def scene() -> tuple[bool, bool]:
        bulletin = Bulletin()
        mine, other = asyncio.create_task(bulletin.wait("mine", 5)), asyncio.create_task(bulletin.wait("other", 0.1))
        await asyncio.sleep(0)
        threading.Thread(target=bulletin.announce, args=({"mine"},)).start()
        return await mine, await other

    assert asyncio.run(scene()) == (True, False)


def test_news_between_look_and_wait_are_not_missed() -> None:
    async def scene() -> list[bool]:
        bulletin = Bulletin()
        with bulletin.listen("root") as listener:
            bulletin.announce({"root"})
            return [await listener.wait(5), await listener.wait(0.01)]

    assert asyncio.run(scene()) == [True, False]


def test_close_lets_everybody_go() -> None:
    async def scene() -> list[bool]:
        bulletin = Bulletin()
        with bulletin.listen("root") as listener:
            bulletin.close()
            return [await listener.wait(5), listener.is_dismissed, await listener.wait(5)]

    assert asyncio.run(scene()) == [True, True, True]


def test_nobody_listens() -> None:
    bulletin = Bulletin()
    bulletin.announce({"root"})
    bulletin.close()

    async def listen() -> bool:
        return await bulletin.wait("root", 0.01)

    assert asyncio.run(listen()) is False
    bulletin.announce({"root"})  # the loop is gone
