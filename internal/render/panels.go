package render

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"github.com/grafana/grafana-foundation-sdk/go/units"
)

// Of the grid, in its own units.
const (
	gridWidth     = 24
	chartsInALine = 3
	statHeight    = 4
	chartHeight   = 8
)

// shown is a query and what its lines are called.
type shown struct{ expr, legend string }

// panel is one picture. One without queries is left out: the server has no metric
// for it.
type panel struct {
	title, help, unit string
	queries           []shown
	kind              panelKind
	// stacked lines add up; belowZero lines may be there.
	stacked, belowZero bool
}

// panelKind is how numbers are shown.
type panelKind int

const (
	lines  panelKind = iota // over time
	figure                  // the last one, large
	list                    // a table of what there is now
)

// row is a headline and the panels below it.
type row struct {
	title  string
	panels []panel
}

// layout places rows on the grid and numbers their panels.
func layout(b *dashboard.DashboardBuilder, rows []row) {
	id := uint32(0)
	next := func() uint32 { id++; return id }
	for _, r := range rows {
		var filled []panel
		for _, p := range r.panels {
			if len(p.queries) > 0 {
				filled = append(filled, p)
			}
		}
		if len(filled) == 0 {
			continue
		}
		b.WithRow(dashboard.NewRowBuilder(r.title).Id(next()))
		for len(filled) > 0 {
			n := inLine(filled)
			for _, p := range filled[:n] {
				b.WithPanel(p.build(next(), uint32(gridWidth/n)))
			}
			filled = filled[n:]
		}
	}
}

// inLine is how many of the panels stand side by side.
func inLine(panels []panel) int {
	if panels[0].kind == figure {
		return len(panels) // a row of figures has nothing else
	}
	if len(panels) == chartsInALine+1 {
		return 2 // rather than one that stands alone
	}
	return min(len(panels), chartsInALine)
}

// dataSource is the Prometheus that whoever looks has chosen.
func dataSource() common.DataSourceRef {
	kind, uid := "prometheus", "${"+dataSourceVariable+"}"
	return common.DataSourceRef{Type: &kind, Uid: &uid}
}

func (p panel) build(id, width uint32) cog.Builder[dashboard.Panel] {
	switch p.kind {
	case figure:
		b := stat.NewPanelBuilder().Id(id).Title(p.title).Description(p.help).Datasource(dataSource()).
			Span(width).Height(statHeight).Unit(p.unit).GraphMode(common.BigValueGraphModeArea).ColorMode(common.BigValueColorModeNone)
		for i, q := range p.queries {
			b.WithTarget(q.target(i))
		}
		return b
	case list:
		b := table.NewPanelBuilder().Id(id).Title(p.title).Description(p.help).Datasource(dataSource()).
			Span(width).Height(chartHeight).
			WithTransformation(dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{
				"excludeByName": map[string]bool{"Time": true},
				"renameByName":  map[string]string{"Value": "pods", targetRevision: "revision"},
			}})
		for i, q := range p.queries {
			b.WithTarget(q.target(i).Instant().Format(prometheus.PromQueryFormatTable))
		}
		return b
	}
	b := timeseries.NewPanelBuilder().Id(id).Title(p.title).Description(p.help).Datasource(dataSource()).
		Span(width).Height(chartHeight).Unit(p.unit).FillOpacity(10).
		ShowPoints(common.VisibilityModeNever).
		Legend(common.NewVizLegendOptionsBuilder().ShowLegend(true).
			DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom)).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
	if !p.belowZero {
		b.Min(0)
	}
	if p.stacked {
		b.Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal).Group("A"))
	}
	for i, q := range p.queries {
		b.WithTarget(q.target(i))
	}
	return b
}

func (q shown) target(i int) *prometheus.DataqueryBuilder {
	b := prometheus.NewDataqueryBuilder().Expr(q.expr).RefId(string(rune('A' + i))).Datasource(dataSource()).Range()
	if q.legend != "" {
		b.LegendFormat(q.legend)
	}
	return b
}

// Units, as Grafana calls them.
const (
	perSecondUnit = units.RequestsPerSecond
	shareUnit     = units.PercentUnit
	secondsUnit   = units.Seconds
	bytesUnit     = units.BytesIEC
	countUnit     = units.Short
)
