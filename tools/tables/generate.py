"""Writes the tables of crates/compliance/data. See README.md for how to run it.

Candidate sets are reduced: of several zones with the same clock from 2026 on, only the first in the order of the tz
database stays, because an instant is allowed only if it is allowed in every candidate and twins add nothing.
"""

import datetime
import importlib.resources
import pathlib
import zoneinfo
from collections import Counter, defaultdict
from importlib.metadata import version

import phonenumbers
import tzdata
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.tzdata import TIMEZONE_DATA

import places

# Clocks are those of the tzdata package, never of the machine.
zoneinfo.reset_tzpath([])

DATA = pathlib.Path(__file__).resolve().parents[2] / "crates" / "compliance" / "data"
# Below this share of an area code's exchanges a state is taken for noise of the source.
STATE_SHARE_MIN = 0.03


def tab(name):
    return importlib.resources.files("tzdata").joinpath("zoneinfo", name).read_text(encoding="utf-8")


def rows_of(name):
    for line in tab(name).splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


ZONE_ROWS = [(row[0], row[2]) for row in rows_of("zone.tab")]
ORDER = {zone: index for index, (_, zone) in enumerate(ZONE_ROWS)}
# Most populous first, in the words of the tz database; it settles which twin stays.
PREFERRED = {row[2]: index for index, row in enumerate(rows_of("zonenow.tab"))}


def clock(zone, cache={}):
    """What the zone's clock shows from 2026 to 2032, hour by hour: equal for twins."""
    if zone not in cache:
        info = zoneinfo.ZoneInfo(zone)
        start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
        hours = range(0, 24 * 365 * 6, 1)
        shown = [(start + datetime.timedelta(hours=hour)).astimezone(info).utcoffset() for hour in hours]
        cache[zone] = hash(tuple(shown))
    return cache[zone]


def reduced(zones):
    """The zones without twins, sorted by name."""
    best = {}
    for zone in sorted(zones, key=lambda zone: (PREFERRED.get(zone, 10**6), ORDER.get(zone, 10**6), zone)):
        best.setdefault(clock(zone), zone)
    return sorted(best.values())


def write(name, rows, heading):
    lines = [f"# {heading}", "# Written by tools/tables/generate.py; do not edit."]
    lines += ["\t".join(row) for row in rows]
    (DATA / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{name}: {len(lines) - 2} rows")


def number_zones():
    known = {prefix: reduced(zones) for prefix, zones in TIMEZONE_DATA.items()}
    kept = {}
    for prefix in sorted(known):
        above = next((known[prefix[:n]] for n in range(len(prefix) - 1, 0, -1) if prefix[:n] in known), None)
        if known[prefix] != above:
            kept[prefix] = known[prefix]
    return [(prefix, ",".join(zones)) for prefix, zones in sorted(kept.items())]


def state_of(description, names, country_states):
    """States named by a geocoder description: `California`, `San Antonio, TX`, `Nova Scotia/Prince Edward Island`."""
    found = []
    for part in description.split(", ")[-1].split("/"):
        part = {"Washington State": "Washington", "Washington D.C.": "District of Columbia",
                "British Colombia": "British Columbia"}.get(part, part)
        if part in names:
            found.append(names[part])
        elif part in country_states:
            found.append(country_states[part])
    return found


TERRITORIES = ["AS", "GU", "MP", "PR", "VI"]


def number_regions():
    """Regions by calling code (one country each) and by North American area code (states, or the country)."""
    rows = []
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        if len(regions) == 1 and regions[0] != "001":
            rows.append((str(code), regions[0]))
    names, codes = {}, {}
    for country in ("US", "CA"):
        for state, (name, _) in places.STATES[country].items():
            if state not in TERRITORIES:
                names[name] = codes[state] = f"{country}-{state}"
    seen = defaultdict(Counter)
    for prefix, texts in GEOCODE_DATA.items():
        if prefix.startswith("1") and len(prefix) >= 4 and "en" in texts:
            for region in state_of(texts["en"], names, codes):
                # The area code's own description outweighs its exchanges.
                seen[prefix[:4]][region] += 1000 if len(prefix) == 4 else 1
    areas = {prefix[:4] for prefix in [*TIMEZONE_DATA, *GEOCODE_DATA] if prefix.startswith("1") and len(prefix) >= 4}
    for area in sorted(areas):
        country = phonenumbers.region_code_for_number(phonenumbers.PhoneNumber(1, int(area[1:] + "2345678"[:7])))
        exchanges = sum(seen[area].values())
        states = sorted(region for region, count in seen[area].items() if count >= STATE_SHARE_MIN * exchanges)
        if country in ("US", "CA", None) and states:
            rows.append((area, ",".join(states)))
        elif country in TERRITORIES:
            rows.append((area, f"{country},US-{country}"))
        elif country:
            rows.append((area, country))
    # Toll-free and other numbers without an area: either country may be where it rings.
    rows.append(("1", "CA,US"))
    return sorted(rows)


def country_zones():
    by_country = defaultdict(list)
    for country, zone in ZONE_ROWS:
        by_country[country].append(zone)
    return [(country, "", ",".join(reduced(zones))) for country, zones in sorted(by_country.items())]


def place_rows():
    rows = country_zones()
    for country, states in places.STATES.items():
        for state, (name, zones) in states.items():
            rows.append((f"{country}-{state}", name, ",".join(reduced(zones))))
    for prefix, states, zones in places.zip_prefixes():
        rows.append((f"US:{prefix}", ",".join(states), ",".join(reduced(zones))))
    return sorted(rows)


def kind_matters():
    """Calling codes whose mobile and service numbers say less about the place than their digits seem to: more than
    one zone, and mobiles that move freely. North America is read by area code alone."""
    geographic_mobiles = {52, 54, 55, 62, 86}
    rows = []
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        if code != 1 and regions[0] != "001" and len(reduced(TIMEZONE_DATA.get(str(code), ()))) > 1:
            rows.append((str(code), "landline,mobile" if code in geographic_mobiles else "landline"))
    return sorted(rows)


def main():
    DATA.mkdir(parents=True, exist_ok=True)
    write("number_zones.tsv", number_zones(), "digits a number starts with | candidate zones; the longest prefix wins")
    write("number_regions.tsv", number_regions(), "digits a number starts with | candidate regions; the longest prefix wins")
    write("number_kinds.tsv", kind_matters(), "calling code | kinds of number whose digits tell the place")
    write("places.tsv", place_rows(), "place | name, or for a ZIP prefix its states | candidate zones")
    (DATA / "version.txt").write_text(f"tz {tzdata.IANA_VERSION}, numbers {version('phonenumbers')}, places 1\n")


if __name__ == "__main__":
    main()
