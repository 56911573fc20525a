"""The figures behind the gates of the embedded sets: what must not give a label away, and how varied the texts are.

`tests/evals/test_gates.py` holds them to their bounds, `scripts/datasheet.py` prints them. Needs scikit-learn, a
development dependency.
"""

import itertools
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline

from evals.items import Item

Pairs = Sequence[tuple[Item, Item]]


def words(text: str) -> list[str]:
    """Lower-case words."""
    return re.findall(r"[a-z']+", text.lower().replace("’", "'"))


def words_auc(pairs: Pairs) -> float:
    """How well a bag of words tells risky items from their twins, pairs kept together in cross-validation."""
    texts = [i.prompt for pair in pairs for i in pair]
    labels, groups = np.array([1, 0] * len(pairs)), np.repeat(np.arange(len(pairs)), 2)
    model = make_pipeline(CountVectorizer(binary=True, min_df=2), LogisticRegression(max_iter=2000))
    folds = GroupKFold(5, shuffle=True, random_state=0)
    scores = cross_val_predict(model, texts, labels, groups=groups, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(labels, scores))


def length_auc(pairs: Pairs) -> float:
    """How well length alone tells them apart."""
    return float(roc_auc_score([1, 0] * len(pairs), [len(i.prompt) for pair in pairs for i in pair]))


def risk_length_correlation(items: Sequence[Item]) -> float:
    """Rank correlation of risk with length."""
    risk = np.array([i.facts["risk"] for i in items], dtype=float)
    length = np.array([len(i.prompt) for i in items], dtype=float)
    return float(np.corrcoef(np.argsort(np.argsort(risk)), np.argsort(np.argsort(length)))[0, 1])


def distinct_bigrams(texts: Sequence[str], tokens: int = 3000, draws: int = 20) -> float:
    """Share of different bigrams in so many tokens, averaged over random orders of the texts."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(draws):
        drawn: list[str] = []
        for k in rng.permutation(len(texts)):
            drawn += words(texts[k])
        bigrams = list(itertools.pairwise(drawn[:tokens]))
        found.append(len(set(bigrams)) / len(bigrams))
    return float(np.mean(found))


def commonest_opening(texts: Sequence[str]) -> int:
    """How many texts share the most frequent first four words."""
    return Counter(" ".join(words(t)[:4]) for t in texts).most_common(1)[0][1]


def nearest(texts: Sequence[tuple[str, str]], others: Sequence[tuple[str, str]] = ()) -> tuple[float, float]:
    """Highest cosine of character 4-grams and highest Jaccard of word sets, over pairs with different keys.

    Args:
        texts: (key, text); texts with one key (a pair of twins, the turns of a dialogue) may be alike.
        others: More texts that these may not resemble either; they are not compared among themselves.
    """
    every = [*texts, *others]
    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(4, 4)).fit_transform([t for _, t in every])
    cosine = (grams[: len(texts)] @ grams.T).toarray()
    sets = [set(words(t)) for _, t in every]
    top_cosine = top_jaccard = 0.0
    for a in range(len(texts)):
        for b in range(a + 1, len(every)):
            if every[a][0] != every[b][0]:
                top_cosine = max(top_cosine, float(cosine[a, b]))
                top_jaccard = max(top_jaccard, len(sets[a] & sets[b]) / max(1, len(sets[a] | sets[b])))
    return top_cosine, top_jaccard


def commonest_skeleton(texts: Sequence[str], kept_words: int = 120, length: int = 14) -> int:
    """How many texts share one skeleton: their first words with all but the most frequent ones masked."""
    counts = Counter(w for t in texts for w in set(words(t)))
    kept = frozenset(w for w, _ in counts.most_common(kept_words))
    skeletons = Counter(" ".join(w if w in kept else "_" for w in words(t)[:length]) for t in texts)
    return skeletons.most_common(1)[0][1]
