"""The reader of free-text orders, static/js/ledger/quantities.js, in a browser: what it reads and what it ignores."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chatserver.features.ledger import readings
from tests.browser.conftest import ADMINISTRATOR, Visitor

Come = Callable[..., Visitor]

# Text -> its lines as `name quantity unit`, separated by `; `.
READ = {
    # Chinese numbers
    "蓝莓八盒": "蓝莓 8 盒",
    "苹果两斤": "苹果 2 斤",
    "蘋果兩斤": "蘋果 2 斤",
    "苹果俩": "苹果 2 个",
    "仨鸡蛋": "鸡蛋 3 个",
    "苹果半斤": "苹果 0.5 斤",
    "苹果一斤半": "苹果 1.5 斤",
    "苹果一斤二两": "苹果 1.2 斤",
    "苹果1斤2两": "苹果 1.2 斤",
    "一个半西瓜": "西瓜 1.5 个",
    "茶叶三两": "茶叶 3 两",
    "茶叶半两": "茶叶 0.5 两",
    "十两茶叶": "茶叶 10 两",
    "一千克牛肉": "牛肉 1 千克",
    "鸡蛋一打": "鸡蛋 12 ",
    "鸡蛋半打": "鸡蛋 6 ",
    "一打半鸡蛋": "鸡蛋 18 ",
    "鸡蛋十个": "鸡蛋 10 个",
    "鸡蛋十二个": "鸡蛋 12 个",
    "鸡蛋二十个": "鸡蛋 20 个",
    "鸡蛋廿个": "鸡蛋 20 个",
    "鸡蛋廿五个": "鸡蛋 25 个",
    "苹果卅斤": "苹果 30 斤",
    "鸡蛋一百个": "鸡蛋 100 个",
    "鸡蛋两百零五个": "鸡蛋 205 个",
    "苹果一千二百斤": "苹果 1200 斤",
    # Digits
    "蓝莓２盒": "蓝莓 2 盒",
    "蓝莓 8 盒": "蓝莓 8 盒",
    "苹果2.5斤": "苹果 2.5 斤",
    "苹果2.50斤": "苹果 2.5 斤",
    "苹果2．05斤": "苹果 2.05 斤",
    "苹果999999.99斤": "苹果 999999.99 斤",
    "蓝莓×3": "蓝莓 3 ",
    "蓝莓*3": "蓝莓 3 ",
    "蓝莓x3": "蓝莓 3 ",
    "蓝莓Ｘ３": "蓝莓 3 ",
    "蓝莓 x 3 盒": "蓝莓 3 盒",
    "蓝莓 8": "蓝莓 8 ",
    "3*苹果": "苹果 3 ",
    # The amount before the name, after it, and several amounts
    "3斤苹果": "苹果 3 斤",
    "苹果3斤": "苹果 3 斤",
    "苹果：3斤": "苹果 3 斤",
    "蓝莓2大盒": "蓝莓 2 大盒",
    "蓝莓八盒，苹果3斤 鸡蛋一打": "蓝莓 8 盒; 苹果 3 斤; 鸡蛋 12 ",
    "蓝莓八盒苹果3斤鸡蛋一打": "蓝莓 8 盒; 苹果 3 斤; 鸡蛋 12 ",
    "3斤苹果2斤香蕉": "苹果 3 斤; 香蕉 2 斤",
    "3斤苹果和2盒蓝莓": "苹果 3 斤; 蓝莓 2 盒",
    "苹果3斤和田枣2斤": "苹果 3 斤; 和田枣 2 斤",
    "苹果3斤香蕉 2斤": "苹果 3 斤; 香蕉 2 斤",
    "苹果1,香蕉2": "苹果 1 ; 香蕉 2 ",
    "1、蓝莓2盒\n2、苹果3斤": "蓝莓 2 盒; 苹果 3 斤",
    "1. 蓝莓2盒": "蓝莓 2 盒",
    # Words that do not name an order
    "我要苹果3斤谢谢": "苹果 3 斤",
    "来3斤苹果，谢谢": "苹果 3 斤",
    "蓝莓给我留两盒": "蓝莓 2 盒",
    "老板娘，再来2盒蓝莓吧": "蓝莓 2 盒",
    "🍓草莓2盒": "草莓 2 盒",
    # Names that contain numbers
    "五花肉3斤": "五花肉 3 斤",
    "三文鱼两斤": "三文鱼 2 斤",
    "百香果10个": "百香果 10 个",
    "八宝粥八盒": "八宝粥 8 盒",
    "千张2斤": "千张 2 斤",
    "海带2斤": "海带 2 斤",
    "软一点的桃子5个": "软一点的桃子 5 个",
    "A4纸两包": "A4纸 2 包",
    "6寸蛋糕一个": "6寸蛋糕 1 个",
    "1号套餐2份": "1号套餐 2 份",
    "5号电池2节": "5号电池 2 节",
    "3块蛋糕": "蛋糕 3 块",
    "3M胶带2卷": "3M胶带 2 卷",
    # English
    "2 boxes blueberries": "blueberries 2 boxes",
    "2 boxes of Blueberries": "Blueberries 2 boxes",
    "blueberries x3": "blueberries 3 ",
    "2x blueberries": "blueberries 2 ",
    "3 blueberries": "blueberries 3 ",
    "I'd like two boxes of organic blueberries, thanks!": "organic blueberries 2 boxes",
    "2 boxes blueberries and 1.5kg apples": "blueberries 2 boxes; apples 1.5 kg",
    "blueberries 2 boxes apples 3 kg": "blueberries 2 boxes; apples 3 kg",
    "a dozen eggs": "eggs 12 ",
    "half a dozen eggs": "eggs 6 ",
    "half a kilo of apples": "apples 0.5 kilo",
}

# Text -> its lines, and the part that is not understood.
IN_PART = {
    "小明 蓝莓2盒": ("蓝莓 2 盒", "小明"),
    "同上，加2盒蓝莓": ("蓝莓 2 盒", "同上"),
    "6点来拿2盒蓝莓": ("蓝莓 2 盒", "6点"),
    "3号楼蓝莓8盒": ("蓝莓 8 盒", "3号楼"),
    "蓝莓8盒送到3号楼2单元301": ("蓝莓 8 盒", "送到3号楼2单元301"),
    "一楼 蓝莓2盒": ("蓝莓 2 盒", "一楼"),
    "12月3日蓝莓2盒": ("蓝莓 2 盒", "12月3日"),
    "蓝莓8盒 电话13812345678": ("蓝莓 8 盒", "电话13812345678"),
    "蓝莓8盒200元": ("蓝莓 8 盒", "200元"),
    "苹果3斤要甜的": ("苹果 3 斤", "要甜的"),
    "蓝莓8盒不要太软": ("蓝莓 8 盒", "不要太软"),
    "蓝莓8盒，其中2盒送妈妈": ("蓝莓 8 盒", "其中2盒送妈妈"),
    "不要蓝莓，要苹果3斤": ("苹果 3 斤", "不要蓝莓"),
    "苹果10斤（5斤红富士，5斤嘎啦）": ("苹果 10 斤", "5斤红富士 5斤嘎啦"),
    "蓝莓3盒，草莓5盒，一共8盒": ("蓝莓 3 盒; 草莓 5 盒", "一共8盒"),
    "room 305, 2 boxes blueberries": ("blueberries 2 boxes", "room 305"),
    "milk 2 bottles at 6pm": ("milk 2 bottles", "at 6pm"),
    "Ａ座１２０３，蓝莓２盒": ("蓝莓 2 盒", "Ａ座１２０３"),
}

# No amount is read from these texts: it is missing, is not exact, or has two meanings.
NOT_READ = [
    "", "老样子", "同上", "同上 2份", "和上次一样", "随便来点", "谢谢", "+1", "8盒", "再来一份", "我2盒",
    # Telephone numbers, addresses, times, money, sizes
    "13812345678", "电话138 1234 5678", "010-12345678", "QQ 123456789", "尾号 88", "3号楼", "3号楼2单元301",
    "阳光小区 12", "1203蓝莓8盒", "A座1203", "apt 12", "12 Main Street", "call me at 555-1234", "6点来拿",
    "六点半来拿", "10:30", "6 点来拿", "3 天后来", "2 个人吃", "一个半月后", "3 号楼", "12 月 3 日",
    "2 单元 301", "下午一点来拿", "两个半小时后来", "2026-11-30", "pick up at 6", "肉5块钱", "苹果5元一斤",
    "3块的蛋糕2个", "500g装蓝莓2盒", "可乐500ml 2瓶", "可乐一箱24瓶", "可乐330ml*24", "两个人吃", "我们俩6点到",
    "第2份不要", "2 kids", "10%", "豆腐3块",
    # Not exact, or not a number of the protocol
    "两三斤苹果", "苹果2-3斤", "苹果三到五斤", "苹果十来斤", "苹果3斤左右", "苹果3斤多", "几个苹果",
    "大约3斤苹果", "苹果½斤", "鸡蛋一百二个", "two and a half kg apples", "2 1/2 kg apples", "苹果二点五斤",
    "苹果2.555斤", "苹果0斤", "苹果007斤", "苹果1000000斤", "1,200斤苹果",
    # Two meanings
    "小明3斤苹果", "苹果3斤香蕉", "苹果 3斤 香蕉", "苹果 3斤香蕉2斤", "苹果香蕉各2斤", "苹果、香蕉各2斤",
    "苹果和香蕉3斤", "苹果或香蕉3斤", "蓝莓8盒8盒", "六个核桃2箱", "100%橙汁2瓶", "蓝莓8盒/人", "每人2盒",
    "买2送1", "mac and cheese 2 boxes",
    # Taken back by a later word
    "苹果3斤，不要了", "苹果8盒改成6盒", "蓝莓退2盒", "蓝莓从8盒减到6盒", "蓝莓8盒→6盒", "不要3斤苹果",
    "2 boxes blueberries, cancel the rest",
]  # fmt: skip


@pytest.fixture
def module(come: Come) -> Callable[..., Any]:
    """Call a function of the module."""
    visitor = come(ADMINISTRATOR)
    visitor.page.goto(f"{visitor.address}/orders/")
    page = visitor.page.locator("script[src*='ledger/open.js']")
    address = page.evaluate("node => node.src.replace('open.js', 'quantities.js')")

    def call(name: str, *values: Any) -> Any:
        script = "async ([address, name, values]) => (await import(address))[name](...values)"
        return visitor.page.evaluate(script, [address, name, values])

    return call


def shown(reading: dict[str, Any]) -> tuple[str, str]:
    lines = "; ".join(f"{line['name']} {line['quantity']} {line['unit']}" for line in reading["lines"])
    return lines, reading["rest"]


def test_amounts_are_read(module: Callable[..., Any]) -> None:
    assert {text: shown(module("readQuantities", text)) for text in READ} == {
        text: (lines, "") for text, lines in READ.items()
    }


def test_what_was_not_understood_is_told(module: Callable[..., Any]) -> None:
    assert {text: shown(module("readQuantities", text)) for text in IN_PART} == IN_PART


def test_what_is_no_amount_is_not_read(module: Callable[..., Any]) -> None:
    assert {text: shown(module("readQuantities", text)) for text in NOT_READ} == {text: ("", text) for text in NOT_READ}


def test_no_more_lines_are_read_than_can_be_kept(module: Callable[..., Any]) -> None:
    text = "，".join(f"果{'甲乙丙丁戊己庚辛壬癸'[n % 10]}1斤" for n in range(21))
    assert shown(module("readQuantities", text)) == ("", text)
    assert len(module("readQuantities", text.rpartition("，")[0])["lines"]) == 20


def test_whatever_is_suggested_can_be_confirmed(module: Callable[..., Any]) -> None:
    for text in (*READ, *IN_PART):
        lines = module("readQuantities", text)["lines"]
        assert json.loads(readings.read({"no": 1, "lines": lines}).lines) == lines
    assert shown(module("readQuantities", "果" * 40 + "1斤")) == ("果" * 40 + " 1 斤", "")
    assert shown(module("readQuantities", "果" * 41 + "1斤")) == ("", "果" * 41 + "1斤")


def test_sums_are_of_whole_hundredths(module: Callable[..., Any]) -> None:
    def line(name: str, quantity: str, unit: str) -> dict[str, str]:
        return {"name": name, "quantity": quantity, "unit": unit}

    confirmed = [
        [line("苹果", "0.1", "斤"), line("蓝莓", "8", "盒")],
        [line("苹果", "0.2", "斤"), line(" 苹果 ", "999999.99", "斤")],
        [line("Apple", "1", "KG"), line("apple", "1.5", "kg"), line("苹果", "1", "个")],
        [],
    ]
    assert sorted((each["name"], each["quantity"], each["unit"]) for each in module("sumLines", confirmed)) == [
        ("Apple", "2.5", "KG"), ("苹果", "1", "个"), ("苹果", "1000000.29", "斤"), ("蓝莓", "8", "盒"),
    ]  # fmt: skip
