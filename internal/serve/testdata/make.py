"""Makes the two models that the reload tests tell apart: python make.py (scikit-learn, joblib)."""
import pathlib

import joblib
from sklearn.tree import DecisionTreeClassifier

here = pathlib.Path(__file__).parent
for name, label in {"tree": 7, "other": 8}.items():
    model = DecisionTreeClassifier().fit([[0, 0, 0, 0], [1, 1, 1, 1]], [label, label])
    joblib.dump(model, here / f"{name}.pkl")
