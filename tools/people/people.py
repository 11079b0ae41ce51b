"""Writes crates/server/demo/people.csv: invented people for the demo.

Every number lies in a range that a numbering plan sets aside for fiction or examples, so that no real person has it:
North America NPA 555 0100-0199; Ofcom's drama ranges; ARCEP's 06 39 98; the Bundesnetzagentur's 0171 39200 and
0176 040690; ACMA's 5550 and 7010; PTS's 070 1740605-699; ComReg's 020 91.
Run: python3 tools/people/people.py > crates/server/demo/people.csv (same seed, same file).
"""
import csv, random, sys

random.seed(20261124)
FIRST = """Ada Amara Anton Astrid Bela Bruno Carla Chidi Clara Dario Dilys Edith Elio Emil Enid Farah Felix Fiona Gil Greta
Hana Hugo Ida Imre Ines Ivor Jana Jonas Juno Kaya Kian Lara Leif Lena Lior Mabel Malik Mara Milo Mina Nadia Nils Noor
Olga Omar Otto Paula Pavel Petra Quinn Rana Remy Rita Rosa Ruben Saga Selma Silas Sofia Sven Tara Theo Tilda Timo Uma
Vera Viggo Wanda Wim Xenia Yara Yves Zara Zeno""".split()
LAST = """Abbott Albrecht Andersson Arnaud Baker Barlow Beaumont Bell Berg Blanchard Brandt Byrne Carter Cole Collet Dahl
Daly Dietz Doyle Dubois Eklund Ellis Engel Farrow Faure Fischer Flynn Forsberg Garnier Glover Gray Haas Hale Holm Hughes
Jansen Joubert Kavanagh Keller Kemp Lang Larkin Leclerc Lind Lowe Marsh Mercier Meyer Moran Moreau Nash Nolan Noyes
Olsson Orr Parry Perrin Quist Reed Renard Roche Roth Sandberg Shaw Simon Stone Strand Thorne Tobin Vogel Wade Weber West
Winter Wynne Yates Zander""".split()
# Area codes over the zones of North America, with a place that lies in each.
NANP = [("201", "NJ", "US"), ("205", "AL", "US"), ("206", "WA", "US"), ("207", "ME", "US"), ("208", "ID", "US"), ("212", "NY", "US"),
        ("214", "TX", "US"), ("215", "PA", "US"), ("303", "CO", "US"), ("305", "FL", "US"), ("312", "IL", "US"), ("313", "MI", "US"),
        ("401", "RI", "US"), ("406", "MT", "US"), ("415", "CA", "US"), ("503", "OR", "US"), ("504", "LA", "US"), ("505", "NM", "US"),
        ("602", "AZ", "US"), ("612", "MN", "US"), ("617", "MA", "US"), ("701", "ND", "US"), ("702", "NV", "US"), ("801", "UT", "US"),
        ("808", "HI", "US"), ("907", "AK", "US"), ("204", "MB", "CA"), ("306", "SK", "CA"), ("403", "AB", "CA"), ("416", "ON", "CA"),
        ("506", "NB", "CA"), ("514", "QC", "CA"), ("604", "BC", "CA"), ("709", "NL", "CA"), ("902", "NS", "CA")]

numbers = []
for area, state, country in NANP:
    numbers += [(f"({area}) 555-{n:04d}" if n % 2 else f"+1 {area} 555 {n:04d}", state, country) for n in range(100, 200, 3)]
numbers += [(f"+44 7700 900{n:03d}", "", "GB") for n in range(0, 1000, 2)]
numbers += [(f"+44 20 7946 0{n:03d}", "", "GB") for n in range(0, 1000, 5)]
numbers += [(f"+33 6 39 98 {n // 100:02d} {n % 100:02d}", "", "FR") for n in range(0, 10000, 17)]
numbers += [(f"+49 171 39200{n:02d}", "", "DE") for n in range(100)]
numbers += [(f"+49 176 040690{n:02d}", "", "DE") for n in range(100)]
numbers += [(f"+61 2 5550 {n:04d}", "NSW", "AU") for n in range(0, 10000, 80)]
numbers += [(f"+61 8 7010 {n:04d}", "SA", "AU") for n in range(0, 10000, 110)]
numbers += [(f"+46 70 1740{n:03d}", "", "SE") for n in range(605, 700)]
numbers += [(f"+353 20 91{n:05d}", "", "IE") for n in range(0, 100000, 900)]
random.shuffle(numbers)

out = csv.writer(sys.stdout, lineterminator="\n")
out.writerow(["ClientID", "FirstName", "LastName", "CellPhone", "Email", "State", "Country", "Other1"])
for index, (number, state, country) in enumerate(numbers):
    first, last = random.choice(FIRST), random.choice(LAST)
    email = f"{first}.{last}.{index}@example.org".lower()
    slot = f"{random.randint(1, 28):02d}/{random.randint(1, 12):02d} at {random.randint(9, 17)}:{random.choice(['00', '30'])}"
    out.writerow([f"P-{index + 1:05d}", first, last, number, email, state, country, slot])
# What real lists hold: nobody's number, a torn row, the same person twice.
out.writerow(["P-90001", "No", "Number", "call me", "", "", "US", ""])
out.writerow(["P-90002", "Short", "Number", "12", "", "", "GB", ""])
out.writerow(["P-90003", "Nothing", "At all", "", "", "", "FR", ""])
out.writerow(["P-00001", "Twice", "Listed", "+44 7700 900001", "twice@example.org", "", "GB", "01/01 at 9:00"])
