"""How long searches for foods take, and months of a diary: over HTTP, one after the other, on one connection.

    python3 loadtest/eating.py http://127.0.0.1:8080

The server runs with LASTBITE_RATES_FACTOR=1000 on a database of its own, filled by sql/foods_100k.sql and sql/ten_years.sql.
Only Python's own library is needed.
"""
import http.client
import json
import random
import sys
import time
import urllib.parse

PASSWORD = "correct horse battery"
SEARCHES = {
    "a whole name": ["김치찌개", "비빔밥", "된장찌개", "삼겹살", "쌀밥", "제육볶음", "떡볶이", "순두부찌개"],
    "with a slip": ["김치찌게", "된쟝찌개", "떡뽁이", "비빔빱", "삽겹살", "제육뽂음"],
    "first consonants": ["ㄱㅊㅉㄱ", "ㅂㅂㅂ", "ㅅㄱㅅ", "ㄷㅈㅉㄱ", "ㄱㅂ"],
    "one or two syllables": ["김", "밥", "비빔", "된장", "국", "닭", "김치"],
    "English": ["rice", "bread", "chicken soup", "apple pie", "bibimbap", "milk"],
    "English with a slip": ["zuchini", "brocoli", "chiken", "yoghourt", "spagetti"],
    "nothing": ["qqqqqqqqqqqq", "쀍쀍쀍", "xyzzy plugh"],
}
ROUNDS = 60


class Client:
    def __init__(self, url):
        self.http = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)
        self.token = None

    def ask(self, method, path, body=None):
        headers = {"Content-Type": "application/json"} if body else {}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        began = time.perf_counter()
        self.http.request(method, "/api/v1" + path, json.dumps(body) if body else None, headers)
        answer = self.http.getresponse()
        text = answer.read()
        took_ms = (time.perf_counter() - began) * 1000
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:200]}")
        return took_ms, json.loads(text)

    def signs_in(self, email):
        _, answer = self.ask("POST", "/sessions", {"email": email, "password": PASSWORD})
        self.token = answer["access_token"]


def told(name, times):
    times.sort()
    at = lambda share: times[min(len(times) - 1, int(len(times) * share))]
    print(f"{name:<44}{len(times):>6}{at(0.5):>9.2f}{at(0.9):>9.2f}{at(0.99):>9.2f}{times[-1]:>9.2f}")


def main():
    client = Client(sys.argv[1])
    client.signs_in("load_new@loadtest.lastbite.example")
    print(f"{'ms':<44}{'n':>6}{'p50':>9}{'p90':>9}{'p99':>9}{'max':>9}")
    asked = [(kind, query) for kind, queries in SEARCHES.items() for query in queries] * ROUNDS
    random.Random(1).shuffle(asked)
    took = {kind: [] for kind in SEARCHES}
    for kind, query in asked:
        took[kind].append(client.ask("GET", "/foods?q=" + urllib.parse.quote(query))[0])
    for kind, times in took.items():
        told(f"search, {kind}", times)
    told("search, all", [time for times in took.values() for time in times])
    this_year = time.gmtime().tm_year
    for who, years in [("load_ten_years", range(this_year - 9, this_year)), ("load_new", [this_year])]:
        client.signs_in(f"{who}@loadtest.lastbite.example")
        months = [f"{year}-{month:02}" for year in years for month in range(1, 13)]
        # Whoever was here before has left its own; only what is logged makes a month anew.
        first, again = [], []
        for month in months:
            first.append(client.ask("GET", "/diary/month?month=" + month)[0])
            again.append(client.ask("GET", "/diary/month?month=" + month)[0])
        told(f"{who}: a month from the database", first)
        told(f"{who}: the same from the cache", again)


if __name__ == "__main__":
    main()
