"""Trains the model of this example and saves it the way most people do.

    pip install scikit-learn joblib
    python train.py
"""
import joblib
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

X, y = load_iris(return_X_y=True)
model = RandomForestClassifier(n_estimators=200, random_state=42).fit(X, y)
joblib.dump(model, "model.pkl")
print("accuracy on the training rows:", model.score(X, y))
