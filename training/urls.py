from django.urls import path

from training.views import certificates, courses, duties, exports, extra_time, policies, quizzes, recalls, replays

app_name = "training"
urlpatterns = [
    # courses/
    path("courses/", courses.course_list, name="course_list"),
    path("courses/<slug:course>/", courses.course, name="course"),
    path("courses/<slug:course>/<slug:module>/quiz/", quizzes.quiz, name="quiz"),
    path("courses/<slug:course>/<slug:module>/<slug:lesson>/", courses.lesson, name="lesson"),
    path("courses/<slug:course>/<slug:module>/<slug:lesson>/reading/", courses.reading, name="reading"),
    # attempts/
    path("attempts/<str:uid>/", quizzes.attempt, name="attempt"),
    path("attempts/<str:uid>/answers/<int:position>/", quizzes.answer, name="answer"),
    path("attempts/<str:uid>/result/", quizzes.result, name="result"),
    path("attempts/<str:uid>/as-shown/", replays.as_shown, name="as_shown"),
    path("attempts/<str:uid>/as-shown.pdf", replays.as_shown_file, name="as_shown_file"),
    path("people/<str:uid>/attempts/", replays.attempt_list, name="attempt_list"),
    # extra-time/
    path("extra-time/", extra_time.extra_time_list, name="extra_time_list"),
    path("extra-time/<str:uid>/end/", extra_time.extra_time_end, name="extra_time_end"),
    # rules/ and what follows from them
    path("rules/", duties.rule_list, name="rule_list"),
    path("rules/new/", duties.rule_new, name="rule_new"),
    path("rules/run/", duties.rule_run, name="rule_run"),
    path("rules/<int:pk>/", duties.rule, name="rule"),
    path("people/<str:uid>/duties/", duties.person_duties, name="person_duties"),
    path("exemptions/", duties.exemption_list, name="exemption_list"),
    path("exemptions/<str:uid>/decide/", duties.exemption_decide, name="exemption_decide"),
    path("completions/", duties.completion_import, name="completion_import"),
    # policies/
    path("policies/", policies.policy_list, name="policy_list"),
    path("policies/new/", policies.policy_new, name="policy_new"),
    path("policies/<slug:slug>/", policies.policy, name="policy"),
    path("policies/<slug:slug>/signatures/", policies.policy_signatures, name="policy_signatures"),
    # recalls/
    path("recalls/", recalls.recall_list, name="recall_list"),
    path("recalls/of/<slug:bank>/<slug:question>/", recalls.recall_begin, name="recall_begin"),
    path("recalls/<str:uid>/", recalls.recall, name="recall"),
    path("recalls/<str:uid>/settle/", recalls.recall_settle, name="recall_settle"),
    # certificates
    path("certificates/", certificates.certificate_list, name="certificate_list"),
    path("certificates/<str:serial>.pdf", certificates.certificate_file, name="certificate_file"),
    path("verify/", certificates.verify_form, name="verify_form"),
    path("verify/<str:serial>/", certificates.verify, name="verify"),
    # exports/
    path("exports/", exports.export_list, name="export_list"),
    path("exports/<str:uid>.zip", exports.export_file, name="export_file"),
]
