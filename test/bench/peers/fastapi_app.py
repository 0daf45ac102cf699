"""The FastAPI service that people write for a scikit-learn model.

    MODEL_PATH=model.pkl uvicorn fastapi_app:app --host 127.0.0.1 --port 5001 --workers 2
"""
import os

import joblib
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

model = joblib.load(os.environ.get("MODEL_PATH", "model.pkl"))
app = FastAPI()


class Query(BaseModel):
    inputs: list[float]


@app.post("/predict")
def predict(query: Query):
    return {"prediction": model.predict(np.asarray(query.inputs).reshape(1, -1)).tolist()}
