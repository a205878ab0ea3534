"""Makes `figure.otf` out of Noto Sans CJK SC: `python3 subset.py NotoSansCJK-Regular.ttc`.

Kept: ASCII, Latin with accents, Greek, the signs that figures use, and the 6,763 characters of
GB 2312. Needs fonttools (written with 4.38).
"""
import subprocess, sys, tempfile

SIGNS = (
    "‐–—‘’“”•…‰′″€→←↑↓≈≠≤≥−×÷±√∞∑∂∈∩∪°·、。〈〉《》「」『』【】〔〕！（），．／：；＜＝＞？～％＋－"
    "①②③④⑤⑥⑦⑧⑨⑩★☆○●△▲□■◇◆№ⅠⅡⅢⅣⅤ²³¹⁰⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉"
)


def gb2312():
    for high in range(0xB0, 0xF8):
        for low in range(0xA1, 0xFF):
            try:
                yield bytes([high, low]).decode("gb2312")
            except UnicodeDecodeError:
                pass


characters = {chr(it) for it in (*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x391, 0x3CA))}
characters |= set(SIGNS) | set(gb2312())
with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf8") as text:
    text.write("".join(sorted(characters)))
    text.flush()
    subprocess.run(
        ["pyftsubset", sys.argv[1], "--font-number=2", f"--text-file={text.name}",
         "--output-file=figure.otf", "--layout-features=kern", "--no-hinting", "--notdef-outline",
         "--drop-tables+=VORG,vhea,vmtx,BASE,DSIG"],
        check=True,
    )
