"""Facts about places, compiled by hand: states with their names and zones, and the US ZIP prefixes.

Written from general knowledge of ISO 3166-2 and of the zones' limits; the ZIP prefixes were written with, and checked
against, counts per prefix of the Python package zipcodes 3.0.0 (see the NOTICE beside the tables). A place that two
zones share gets both: the reader takes the intersection, so a zone too many costs a little time of day and never a
forbidden hour.
"""

EASTERN = "America/New_York"
CENTRAL = "America/Chicago"
MOUNTAIN = "America/Denver"
PACIFIC = "America/Los_Angeles"
ARIZONA = "America/Phoenix"
ALASKA = "America/Anchorage"
ALEUTIANS = "America/Adak"
HAWAII = "Pacific/Honolulu"

US_STATES = {
    "AL": ("Alabama", [CENTRAL]),
    "AK": ("Alaska", [ALASKA, ALEUTIANS]),
    "AZ": ("Arizona", [ARIZONA, MOUNTAIN]),
    "AR": ("Arkansas", [CENTRAL]),
    "CA": ("California", [PACIFIC]),
    "CO": ("Colorado", [MOUNTAIN]),
    "CT": ("Connecticut", [EASTERN]),
    "DE": ("Delaware", [EASTERN]),
    "DC": ("District of Columbia", [EASTERN]),
    "FL": ("Florida", [EASTERN, CENTRAL]),
    "GA": ("Georgia", [EASTERN]),
    "HI": ("Hawaii", [HAWAII]),
    "ID": ("Idaho", [MOUNTAIN, PACIFIC]),
    "IL": ("Illinois", [CENTRAL]),
    "IN": ("Indiana", [EASTERN, CENTRAL]),
    "IA": ("Iowa", [CENTRAL]),
    "KS": ("Kansas", [CENTRAL, MOUNTAIN]),
    "KY": ("Kentucky", [EASTERN, CENTRAL]),
    "LA": ("Louisiana", [CENTRAL]),
    "ME": ("Maine", [EASTERN]),
    "MD": ("Maryland", [EASTERN]),
    "MA": ("Massachusetts", [EASTERN]),
    "MI": ("Michigan", [EASTERN, CENTRAL]),
    "MN": ("Minnesota", [CENTRAL]),
    "MS": ("Mississippi", [CENTRAL]),
    "MO": ("Missouri", [CENTRAL]),
    "MT": ("Montana", [MOUNTAIN]),
    "NE": ("Nebraska", [CENTRAL, MOUNTAIN]),
    "NV": ("Nevada", [PACIFIC, MOUNTAIN]),
    "NH": ("New Hampshire", [EASTERN]),
    "NJ": ("New Jersey", [EASTERN]),
    "NM": ("New Mexico", [MOUNTAIN]),
    "NY": ("New York", [EASTERN]),
    "NC": ("North Carolina", [EASTERN]),
    "ND": ("North Dakota", [CENTRAL, MOUNTAIN]),
    "OH": ("Ohio", [EASTERN]),
    "OK": ("Oklahoma", [CENTRAL]),
    "OR": ("Oregon", [PACIFIC, MOUNTAIN]),
    "PA": ("Pennsylvania", [EASTERN]),
    "RI": ("Rhode Island", [EASTERN]),
    "SC": ("South Carolina", [EASTERN]),
    "SD": ("South Dakota", [CENTRAL, MOUNTAIN]),
    "TN": ("Tennessee", [EASTERN, CENTRAL]),
    "TX": ("Texas", [CENTRAL, MOUNTAIN]),
    "UT": ("Utah", [MOUNTAIN]),
    "VT": ("Vermont", [EASTERN]),
    "VA": ("Virginia", [EASTERN]),
    "WA": ("Washington", [PACIFIC]),
    "WV": ("West Virginia", [EASTERN]),
    "WI": ("Wisconsin", [CENTRAL]),
    "WY": ("Wyoming", [MOUNTAIN]),
    "AS": ("American Samoa", ["Pacific/Pago_Pago"]),
    "GU": ("Guam", ["Pacific/Guam"]),
    "MP": ("Northern Mariana Islands", ["Pacific/Guam"]),
    "PR": ("Puerto Rico", ["America/Puerto_Rico"]),
    "VI": ("Virgin Islands", ["America/Puerto_Rico"]),
}

CA_STATES = {
    "AB": ("Alberta", ["America/Edmonton"]),
    "BC": ("British Columbia", ["America/Vancouver", "America/Edmonton", "America/Fort_Nelson"]),
    "MB": ("Manitoba", ["America/Winnipeg"]),
    "NB": ("New Brunswick", ["America/Halifax"]),
    "NL": ("Newfoundland and Labrador", ["America/St_Johns", "America/Halifax"]),
    "NS": ("Nova Scotia", ["America/Halifax"]),
    "NT": ("Northwest Territories", ["America/Edmonton"]),
    "NU": ("Nunavut", ["America/Toronto", "America/Winnipeg", "America/Edmonton", "America/Panama"]),
    "ON": ("Ontario", ["America/Toronto", "America/Winnipeg", "America/Panama"]),
    "PE": ("Prince Edward Island", ["America/Halifax"]),
    "QC": ("Quebec", ["America/Toronto", "America/Halifax", "America/Puerto_Rico"]),
    "SK": ("Saskatchewan", ["America/Regina", "America/Edmonton"]),
    "YT": ("Yukon", ["America/Whitehorse"]),
}

AU_STATES = {
    "ACT": ("Australian Capital Territory", ["Australia/Sydney"]),
    "NSW": ("New South Wales", ["Australia/Sydney", "Australia/Adelaide", "Australia/Lord_Howe"]),
    "NT": ("Northern Territory", ["Australia/Darwin"]),
    "QLD": ("Queensland", ["Australia/Brisbane"]),
    "SA": ("South Australia", ["Australia/Adelaide"]),
    "TAS": ("Tasmania", ["Australia/Hobart"]),
    "VIC": ("Victoria", ["Australia/Melbourne"]),
    "WA": ("Western Australia", ["Australia/Perth", "Australia/Eucla"]),
}

MX_STATES = {
    "AGU": ("Aguascalientes", ["America/Mexico_City"]),
    "BCN": ("Baja California", ["America/Tijuana"]),
    "BCS": ("Baja California Sur", ["America/Mazatlan"]),
    "CAM": ("Campeche", ["America/Mexico_City"]),
    "CHH": ("Chihuahua", ["America/Mexico_City", "America/Ciudad_Juarez", "America/Ojinaga"]),
    "CHP": ("Chiapas", ["America/Mexico_City"]),
    "CMX": ("Ciudad de México", ["America/Mexico_City"]),
    "COA": ("Coahuila", ["America/Mexico_City", "America/Matamoros"]),
    "COL": ("Colima", ["America/Mexico_City"]),
    "DUR": ("Durango", ["America/Mexico_City"]),
    "GRO": ("Guerrero", ["America/Mexico_City"]),
    "GUA": ("Guanajuato", ["America/Mexico_City"]),
    "HID": ("Hidalgo", ["America/Mexico_City"]),
    "JAL": ("Jalisco", ["America/Mexico_City"]),
    "MEX": ("México", ["America/Mexico_City"]),
    "MIC": ("Michoacán", ["America/Mexico_City"]),
    "MOR": ("Morelos", ["America/Mexico_City"]),
    "NAY": ("Nayarit", ["America/Mazatlan", "America/Mexico_City"]),
    "NLE": ("Nuevo León", ["America/Mexico_City", "America/Matamoros"]),
    "OAX": ("Oaxaca", ["America/Mexico_City"]),
    "PUE": ("Puebla", ["America/Mexico_City"]),
    "QUE": ("Querétaro", ["America/Mexico_City"]),
    "ROO": ("Quintana Roo", ["America/Cancun"]),
    "SIN": ("Sinaloa", ["America/Mazatlan"]),
    "SLP": ("San Luis Potosí", ["America/Mexico_City"]),
    "SON": ("Sonora", ["America/Hermosillo"]),
    "TAB": ("Tabasco", ["America/Mexico_City"]),
    "TAM": ("Tamaulipas", ["America/Mexico_City", "America/Matamoros"]),
    "TLA": ("Tlaxcala", ["America/Mexico_City"]),
    "VER": ("Veracruz", ["America/Mexico_City"]),
    "YUC": ("Yucatán", ["America/Mexico_City"]),
    "ZAC": ("Zacatecas", ["America/Mexico_City"]),
}

STATES = {"US": US_STATES, "CA": CA_STATES, "AU": AU_STATES, "MX": MX_STATES}

# Ranges of three-digit ZIP prefixes by state. Military prefixes (090-098, 340, 962-966) lie anywhere in the world and
# are left out: such a contact's zone is unknown.
US_ZIP3 = """
005 NY, 006-007 PR, 008 VI, 009 PR, 010-027 MA, 028-029 RI, 030-038 NH, 039-049 ME, 050-054 VT, 055 MA, 056-059 VT,
060-062 CT, 063 CT NY, 064-069 CT, 070-089 NJ, 100-149 NY, 150-196 PA, 197-199 DE, 200 DC, 201 VA, 202-204 DC,
205 DC MD VA, 206-212 MD, 214-219 MD, 220-246 VA, 247-268 WV, 270-289 NC, 290-299 SC, 300-319 GA, 320-339 FL, 341-342 FL,
344 FL, 346-347 FL, 349 FL, 350-352 AL, 354-369 AL, 370-385 TN, 386-397 MS, 398-399 GA, 400-418 KY, 420-427 KY,
430-459 OH, 460-479 IN, 480-499 MI, 500-516 IA, 520-528 IA, 530-532 WI, 534-535 WI, 537-549 WI, 550-551 MN, 553-567 MN,
569 DC, 570-577 SD, 580-588 ND, 590-599 MT, 600-620 IL, 622-629 IL, 630-631 MO, 633-641 MO, 644-658 MO, 660-662 KS,
664-679 KS, 680-681 NE, 683-693 NE, 700-701 LA, 703-708 LA, 710-714 LA, 716-725 AR, 726 AR MO, 727-729 AR, 730-731 OK,
733 TX, 734-738 OK, 739 OK TX, 740-741 OK, 743-749 OK, 750-770 TX, 772-799 TX, 800-816 CO, 820-831 WY, 832-833 ID,
834 ID WY, 835-838 ID, 840-847 UT, 850-853 AZ, 855-857 AZ, 859-860 AZ, 863-865 AZ, 870-871 NM, 873-884 NM, 885 TX,
889-891 NV, 893-895 NV, 897-898 NV, 900-908 CA, 910-928 CA, 930-961 CA, 967-968 HI, 969 GU MP, 970-979 OR, 980-986 WA,
988-994 WA, 995-999 AK
"""

# Where a state lies in two zones, the prefixes that lie in one only; every other prefix of the state keeps both.
US_ZIP3_ZONES = {
    "FL": {EASTERN: "320-323 326-339 341-342 344 346-347 349", CENTRAL: "325"},
    "TN": {EASTERN: "376 378-379", CENTRAL: "370-372 375 380-385"},
    "KY": {EASTERN: "400 402-406 407-418", CENTRAL: "420-424"},
    "IN": {EASTERN: "460-462 466-468 470-474 478", CENTRAL: "463-464 476-477"},
    "MI": {EASTERN: "480-497"},
    "KS": {CENTRAL: "660-676 679"},
    "NE": {CENTRAL: "680-681 683-689", MOUNTAIN: "693"},
    "SD": {CENTRAL: "570-574", MOUNTAIN: "577"},
    "ND": {CENTRAL: "580-584 587-588"},
    "TX": {CENTRAL: "733 739 750-770 772-797", MOUNTAIN: "885"},
    "ID": {MOUNTAIN: "832-834 836-837", PACIFIC: "838"},
    "OR": {PACIFIC: "970-978"},
    "NV": {PACIFIC: "889-891 893-895 897"},
    "AZ": {ARIZONA: "850-853 855-857 859 863-864"},
    "AK": {ALASKA: "997-999"},
}


def spread(text):
    """Every three-digit prefix of a list such as `320-323 325`."""
    for part in text.split():
        first, _, last = part.partition("-")
        for number in range(int(first), int(last or first) + 1):
            yield f"{number:03}"


def zip_prefixes():
    """(prefix, states, zones) of every known ZIP prefix, sorted."""
    narrowed = {}
    for state, by_zone in US_ZIP3_ZONES.items():
        for zone, text in by_zone.items():
            for prefix in spread(text):
                narrowed[state, prefix] = [zone]
    rows = []
    for entry in US_ZIP3.replace("\n", " ").split(","):
        prefixes, *states = entry.split()
        for prefix in spread(prefixes):
            zones = []
            for state in states:
                for zone in narrowed.get((state, prefix), US_STATES[state][1]):
                    if zone not in zones:
                        zones.append(zone)
            rows.append((prefix, states, zones))
    rows.append(("96799", ["AS"], US_STATES["AS"][1]))
    # Guam and its neighbours, the freely associated states among them.
    rows = [row for row in rows if row[0] != "969"]
    rows.append(("969", ["GU", "MP"], ["Pacific/Guam", "Pacific/Palau", "Pacific/Guadalcanal", "Pacific/Tarawa"]))
    return sorted(rows)
