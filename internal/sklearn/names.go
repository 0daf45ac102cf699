package sklearn

import (
	"strings"

	"mizzen.dev/internal/format/pickle"
)

// inert are the names that may stand in a file without changing what its
// estimators answer: what numpy and joblib write to rebuild arrays, parts that
// the builders read themselves, and the traces of training (scorers, splitters,
// random states, distributions that were searched). They are matched whole, and
// nothing of them is ever imported or called. A name belongs here only if every
// builder that could meet it as a parameter that matters refuses it there: a
// function that a FunctionTransformer applies does not.
var inert = names(map[string]string{
	// Python itself. Protocols 0 to 2 use the names that Python 2 had.
	"builtins":     "bool bytearray bytes complex dict float frozenset int list object range set slice str tuple type",
	"__builtin__":  "bool bytearray bytes complex dict float frozenset int list long object set slice str tuple type unicode xrange",
	"copyreg":      "_reconstructor",
	"copy_reg":     "_reconstructor",
	"_codecs":      "encode",
	"collections":  "OrderedDict defaultdict",
	"datetime":     "date datetime",
	"functools":    "partial",
	"decimal":      "Decimal",
	"numpy.ma":     "MaskedArray",
	"numpy":        "bool bool_ bytes_ character complex128 complex64 complexfloating clongdouble intc longdouble memmap uintc datetime64 dtype float16 float32 float64 floating generic inexact int16 int32 int64 int8 integer longlong ndarray number object_ signedinteger str_ timedelta64 uint16 uint32 uint64 uint8 ulonglong unsignedinteger vectorize void",
	"numpy.dtypes": "StringDType",

	// numpy's arrays and scalars, before and since numpy 2.
	"numpy.core.multiarray":      "_reconstruct scalar",
	"numpy.core.numeric":         "_frombuffer",
	"numpy.core._internal":       "_convert_to_stringdtype_kwargs",
	"numpy._core.multiarray":     "_reconstruct scalar",
	"numpy._core.numeric":        "_frombuffer",
	"numpy._core._internal":      "_convert_to_stringdtype_kwargs",
	"numpy.core.memmap":          "memmap",
	"numpy._core.memmap":         "memmap",
	"numpy.ma.core":              "MaskedArray _mareconstruct",
	"numpy.random":               "Generator RandomState",
	"numpy.random.mtrand":        "RandomState",
	"numpy.random._generator":    "Generator",
	"numpy.random._pickle":       "__bit_generator_ctor __generator_ctor __randomstate_ctor",
	"numpy.random._mt19937":      "MT19937",
	"numpy.random._pcg64":        "PCG64 PCG64DXSM",
	"numpy.random._philox":       "Philox",
	"numpy.random._sfc64":        "SFC64",
	"numpy.random.bit_generator": "SeedSequence __pyx_unpickle_SeedSequence",

	// joblib's arrays, and the cache that a Pipeline may have had.
	"joblib.numpy_pickle":    "NumpyArrayWrapper",
	"joblib.memory":          "Memory",
	"joblib._store_backends": "FileSystemStoreBackend",

	// pandas, in the columns of a ColumnTransformer and in its selectors.
	"pandas":                         "CategoricalDtype Index Int64Dtype NA RangeIndex StringDtype",
	"pandas.arrays":                  "StringArray",
	"pandas._libs.arrays":            "__pyx_unpickle_NDArrayBacked",
	"pandas._libs.missing":           "NA",
	"pandas.core.indexes.base":       "Index _new_Index",
	"pandas.core.indexes.range":      "RangeIndex",
	"pandas.core.arrays.string_":     "StringArray StringDtype",
	"pandas.core.arrays.integer":     "Int64Dtype",
	"pandas.core.dtypes.dtypes":      "CategoricalDtype",
	"pandas._libs.tslibs.timestamps": "_unpickle_timestamp",
	"pandas._libs.tslibs.nattype":    "__nat_unpickle _nat_unpickle",

	// Frozen distributions that a RandomizedSearchCV drew from.
	"scipy.stats._distn_infrastructure": "rv_continuous_frozen rv_discrete_frozen rv_frozen",
	"scipy.stats._continuous_distns":    "alpha_gen anglit_gen arcsine_gen argus_gen beta_gen betaprime_gen bradford_gen burr12_gen burr_gen cauchy_gen chi2_gen chi_gen cosine_gen crystalball_gen dgamma_gen dpareto_lognorm_gen dweibull_gen erlang_gen expon_gen exponnorm_gen exponpow_gen exponweib_gen f_gen fatiguelife_gen fisk_gen foldcauchy_gen foldnorm_gen gamma_gen gausshyper_gen genexpon_gen genextreme_gen gengamma_gen genhalflogistic_gen genhyperbolic_gen geninvgauss_gen genlogistic_gen gennorm_gen genpareto_gen gibrat_gen gilbrat_gen gompertz_gen gumbel_l_gen gumbel_r_gen halfcauchy_gen halfgennorm_gen halflogistic_gen halfnorm_gen hypsecant_gen invgamma_gen invgauss_gen invweibull_gen irwinhall_gen jf_skew_t_gen johnsonsb_gen johnsonsu_gen kappa3_gen kappa4_gen ksone_gen kstwo_gen kstwobign_gen landau_gen laplace_asymmetric_gen laplace_gen levy_gen levy_l_gen loggamma_gen logistic_gen loglaplace_gen lognorm_gen lomax_gen maxwell_gen mielke_gen moyal_gen nakagami_gen ncf_gen nct_gen ncx2_gen norm_gen norminvgauss_gen pareto_gen pearson3_gen powerlaw_gen powerlognorm_gen powernorm_gen rayleigh_gen rdist_gen recipinvgauss_gen reciprocal_gen rel_breitwigner_gen rice_gen semicircular_gen skewcauchy_gen skewnorm_gen studentized_range_gen t_gen trapezoid_gen trapz_gen triang_gen truncexpon_gen truncnorm_gen truncpareto_gen truncweibull_min_gen tukeylambda_gen uniform_gen vonmises_gen wald_gen weibull_max_gen weibull_min_gen wrapcauchy_gen",
	"scipy.stats._discrete_distns":      "bernoulli_gen betabinom_gen betanbinom_gen binom_gen boltzmann_gen dlaplace_gen geom_gen hypergeom_gen logser_gen nbinom_gen nchypergeom_fisher_gen nchypergeom_wallenius_gen nhypergeom_gen planck_gen poisson_binom_gen poisson_gen randint_gen skellam_gen yulesimon_gen zipf_gen zipfian_gen",

	// Parts of estimators that their builders read.
	"scipy.sparse._csr":                   "csr_array csr_matrix",
	"scipy.sparse.csr":                    "csr_matrix",
	"sklearn.compose._column_transformer": "_RemainderColsList make_column_selector",
	"sklearn.tree._tree":                  "Tree",
	"sklearn.utils":                       "Bunch",
	"sklearn.utils._bunch":                "Bunch",
	"sklearn.utils._metadata_requests":    "MetadataRequest MethodMetadataRequest",

	// Scorers and splitters of searches.
	"sklearn.metrics._scorer":             "_BaseScorer _MultimetricScorer _PassthroughScorer _PredictScorer _ProbaScorer _Scorer _ThresholdScorer _passthrough_scorer make_scorer negative_likelihood_ratio positive_likelihood_ratio",
	"sklearn.metrics._classification":     "accuracy_score balanced_accuracy_score brier_score_loss class_likelihood_ratios cohen_kappa_score d2_brier_score d2_log_loss_score f1_score fbeta_score hamming_loss hinge_loss jaccard_score log_loss matthews_corrcoef precision_score recall_score zero_one_loss",
	"sklearn.metrics._ranking":            "average_precision_score coverage_error dcg_score label_ranking_average_precision_score label_ranking_loss ndcg_score roc_auc_score top_k_accuracy_score",
	"sklearn.metrics._regression":         "d2_absolute_error_score d2_pinball_score d2_tweedie_score explained_variance_score max_error mean_absolute_error mean_absolute_percentage_error mean_gamma_deviance mean_pinball_loss mean_poisson_deviance mean_squared_error mean_squared_log_error mean_tweedie_deviance median_absolute_error r2_score root_mean_squared_error root_mean_squared_log_error",
	"sklearn.metrics.cluster._supervised": "adjusted_mutual_info_score adjusted_rand_score completeness_score fowlkes_mallows_score homogeneity_score mutual_info_score normalized_mutual_info_score rand_score v_measure_score",
	"sklearn.model_selection._split":      "GroupKFold GroupShuffleSplit KFold LeaveOneGroupOut LeaveOneOut LeavePGroupsOut LeavePOut PredefinedSplit RepeatedKFold RepeatedStratifiedKFold ShuffleSplit StratifiedGroupKFold StratifiedKFold StratifiedShuffleSplit TimeSeriesSplit _CVIterableWrapper",
})

func names(modules map[string]string) map[pickle.Global]struct{} {
	out := make(map[pickle.Global]struct{})
	for module, list := range modules {
		for _, name := range strings.Fields(list) {
			out[pickle.Global{Module: module, Name: name}] = struct{}{}
		}
	}
	return out
}
