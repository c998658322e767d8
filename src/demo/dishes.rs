//! What the demo's players eat. All figures are rounded household figures for a usual portion, **for the demo only**:
//! they make a believable day and are no source for anybody's diet.

use lastbite_protocol::rest::MealKind;

use super::plates::Plate;

/// A dish, its usual portion, and which picture shows it.
#[derive(Debug)]
pub struct Dish {
    /// What the player writes.
    pub name: &'static str,
    /// Energy of a usual portion.
    pub portion_kcal: u32,
    /// The picture that goes with it; without one it is never photographed.
    pub plate: Option<Plate>,
}

const fn dish(name: &'static str, portion_kcal: u32, plate: Plate) -> Dish {
    Dish { name, portion_kcal, plate: Some(plate) }
}

const fn plain(name: &'static str, portion_kcal: u32) -> Dish {
    Dish { name, portion_kcal, plate: None }
}

const BREAKFAST: &[Dish] = &[
    dish("그릭요거트와 과일", 290, Plate::Salad),
    dish("소고기죽", 340, Plate::Stew),
    dish("떡국", 480, Plate::Stew),
    dish("닭가슴살 샐러드", 350, Plate::Salad),
    plain("삶은 달걀과 고구마", 330),
    plain("토스트와 우유", 380),
    plain("오트밀과 바나나", 360),
    plain("누룽지", 260),
    plain("김밥 한 줄", 480),
];

const LUNCH: &[Dish] = &[
    dish("비빔밥", 590, Plate::Bibimbap),
    dish("돌솥비빔밥", 680, Plate::Bibimbap),
    dish("회덮밥", 560, Plate::Bibimbap),
    dish("물냉면", 550, Plate::Noodles),
    dish("칼국수", 620, Plate::Noodles),
    dish("잔치국수", 480, Plate::Noodles),
    dish("라면", 520, Plate::Noodles),
    dish("짜장면", 780, Plate::Noodles),
    dish("김치찌개와 밥", 610, Plate::Stew),
    dish("순두부찌개와 밥", 570, Plate::Stew),
    dish("설렁탕", 650, Plate::Stew),
    dish("연어 샐러드", 430, Plate::Salad),
    plain("제육볶음과 밥", 760),
    plain("돈가스", 880),
    plain("참치김밥", 560),
];

const SNACK: &[Dish] = &[
    dish("과일 한 접시", 130, Plate::Salad),
    plain("사과 하나", 100),
    plain("라떼", 150),
    plain("붕어빵 두 개", 230),
    plain("떡볶이", 420),
    plain("호떡", 260),
    plain("초코 케이크", 390),
    plain("두유", 130),
    plain("찐 옥수수", 160),
];

const DINNER: &[Dish] = &[
    dish("된장찌개와 밥", 550, Plate::Stew),
    dish("부대찌개와 밥", 760, Plate::Stew),
    dish("삼계탕", 880, Plate::Stew),
    dish("두부 샐러드", 360, Plate::Salad),
    dish("닭갈비 볶음밥", 780, Plate::Bibimbap),
    dish("나물비빔밥", 540, Plate::Bibimbap),
    dish("비빔국수", 560, Plate::Noodles),
    dish("잡채", 460, Plate::Noodles),
    plain("불고기와 밥", 670),
    plain("고등어구이와 밥", 640),
    plain("삼겹살과 쌈", 920),
    plain("치킨 반 마리", 1050),
    plain("김치볶음밥", 690),
    plain("월남쌈", 480),
];

/// What is eaten at this meal.
#[must_use]
pub const fn of(kind: MealKind) -> &'static [Dish] {
    match kind {
        MealKind::Breakfast => BREAKFAST,
        MealKind::Lunch => LUNCH,
        MealKind::Snack => SNACK,
        MealKind::Dinner => DINNER,
    }
}
