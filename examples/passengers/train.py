"""Trains a pipeline on a table with numbers, words and holes, and saves it.

    pip install scikit-learn joblib pandas
    python train.py
"""
import joblib
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

r = np.random.RandomState(7)
n = 400
table = pd.DataFrame({
    "age": np.where(r.rand(n) < 0.1, np.nan, r.normal(38, 13, n).clip(1, 80).round()),
    "fare": r.lognormal(3, 1, n).round(2),
    "sex": r.choice(["female", "male"], n),
    "port": r.choice(["Cherbourg", "Queenstown", "Southampton"], n),
})
score = 1.8 * (table.sex == "female") + 0.02 * table.fare - 0.02 * table.age.fillna(38) - 0.3
survived = np.where(r.rand(n) < 1 / (1 + np.exp(-score)), "yes", "no")

numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
model = Pipeline([
    ("columns", ColumnTransformer([
        ("numbers", numbers, ["age", "fare"]),
        ("words", OneHotEncoder(handle_unknown="ignore"), ["sex", "port"]),
    ])),
    ("classifier", LogisticRegression()),
]).fit(table, survived)
joblib.dump(model, "model.joblib")
table.head(5).to_csv("rows.csv", index=False)
print(model.predict(table.head(5)), model.predict_proba(table.head(5)).tolist())
